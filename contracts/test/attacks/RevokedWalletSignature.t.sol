// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestState, SignedRequest} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";
import {OwnedWallet} from "../Wallets.sol";

/// @notice Attack: a contract account signs, and revokes once an executor has taken the request on, to get his work for
/// nothing. No signature is looked at after the lock, and the price was taken by it.
contract RevokedWalletSignatureAttack is Network {
    OwnedWallet internal wallet;

    function setUp() public override {
        super.setUp();
        wallet = new OwnedWallet(requester, true);
        depositFor(address(wallet), PRICE);
    }

    function test_revokedAfterTheLock() external {
        (SignedRequest memory signed, bytes memory signature) = _sign();
        vm.prank(executor);
        uint256 requestId = market.lockSigned(signed, signature, 0, 0);
        wallet.setOwner(stranger);
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
        assertState(requestId, RequestState.PAID);
        assertEq(market.balanceOf(executor), PRICE * 9 / 10, "paid");
    }

    function test_cancelledAfterTheLock() external {
        (SignedRequest memory signed, bytes memory signature) = _sign();
        vm.prank(executor);
        uint256 requestId = market.lockSigned(signed, signature, 0, 0);
        vm.startPrank(address(wallet));
        market.cancelNonces(0, type(uint256).max);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotOpen.selector, requestId, RequestState.LOCKED)
        );
        market.cancel(requestId);
        vm.stopPrank();
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
        assertState(requestId, RequestState.PAID);
    }

    function test_revokedBeforeTheLock() external {
        (SignedRequest memory signed, bytes memory signature) = _sign();
        wallet.setOwner(stranger);
        vm.expectPartialRevert(IInferenceMarket.InferenceMarket_InvalidSignature.selector);
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
        assertEq(staking.available(executor, address(market)), STAKE, "nothing at stake");
    }

    function _sign() private view returns (SignedRequest memory signed, bytes memory signature) {
        signed = unsignedRequest(address(wallet), packedParams(), 1);
        signature = signatureOf(requesterKey, bytes32(market.idOf(signed)));
    }
}
