// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {RequestState, SignedRequest} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice Attack: a requester signs and withdraws his deposit before the lock, or signs for more than he has, so that
/// an executor stakes and works for nothing, or his whole batch fails. The lock itself takes the price or does nothing,
/// and in a batch the others are locked.
contract EmptiedDepositAttack is Network {
    function test_nothingIsLockedWithoutThePrice() external {
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), 1);
        vm.prank(requester);
        market.withdraw(DEPOSIT - PRICE + 1, requester);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITokenAccounts.TokenAccounts_InsufficientBalance.selector, requester, PRICE - 1, PRICE
            )
        );
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
        assertEq(staking.available(executor, address(market)), STAKE, "nothing at stake");
        assertEq(market.nonceWord(requester, 0), 0, "and good again once the deposit is");
    }

    function test_inABatchItIsLeftOut() external {
        (address other, uint256 otherKey) = makeAddrAndKey("other requester");
        depositFor(other, PRICE);
        bytes[] memory locks = new bytes[](3);
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), 1);
        locks[0] = abi.encodeCall(market.lockSigned, (signed, signature, 0, 0));
        signed = unsignedRequest(other, packedParams(), 1);
        signature = signatureOf(otherKey, bytes32(market.idOf(signed)));
        uint256 paid = market.idOf(signed);
        locks[1] = abi.encodeCall(market.lockSigned, (signed, signature, 0, 0));
        signed = unsignedRequest(other, packedParams(), 2); // one price too many
        signature = signatureOf(otherKey, bytes32(market.idOf(signed)));
        locks[2] = abi.encodeCall(market.lockSigned, (signed, signature, 0, 0));

        vm.prank(requester);
        market.withdraw(DEPOSIT, requester);
        vm.expectEmit(address(market));
        emit IInferenceMarket.LockSkipped(executor, 0, _without(requester));
        vm.expectEmit(address(market));
        emit IInferenceMarket.LockSkipped(executor, 2, _without(other));
        vm.prank(executor);
        assertEq(market.lockMany(locks), 1, "the one with a deposit");
        assertState(paid, RequestState.LOCKED);
        assertEq(staking.available(executor, address(market)), STAKE - COLLATERAL, "one collateral");
    }

    function _without(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITokenAccounts.TokenAccounts_InsufficientBalance.selector, account, 0, PRICE);
    }
}
