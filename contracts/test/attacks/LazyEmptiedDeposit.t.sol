// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {LazyClaim, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: a requester signs, lets an executor work, and withdraws before the answer is final, or signs more
/// than he has. The price leaves his balance in the transaction that locks or answers, or that transaction fails.
contract LazyEmptiedDepositAttack is LazyNetwork {
    function test_attack_withdrawnBeforeTheLock() external {
        LazyRequest memory request = wantedNamed();
        bytes memory signature = signatureFor(request);
        vm.prank(requester);
        lazy.withdraw(DEPOSIT - PRICE + 1, requester);
        LazyMoney memory before = lazyMoney();
        vm.expectRevert(
            abi.encodeWithSelector(
                ITokenAccounts.TokenAccounts_InsufficientBalance.selector, requester, PRICE - 1, PRICE
            )
        );
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, signature, truth());
        assertNothingMoved(before);
        assertLazy(idOf(request), LazyState.NONE);
        assertEq(lazy.nonceWord(requester, 0), 0, "not even the nonce is used");
    }

    function test_attack_withdrawnAfterTheAnswer() external {
        LazyClaim memory claim = honest();
        vm.startPrank(requester);
        lazy.withdraw(DEPOSIT - PRICE, requester);
        vm.expectRevert(
            abi.encodeWithSelector(ITokenAccounts.TokenAccounts_InsufficientBalance.selector, requester, 0, 1)
        );
        lazy.withdraw(1, requester);
        vm.stopPrank();
        finalized(claim);
        assertEq(lazy.balanceOf(executor) + lazy.royaltyOf(modelId), PRICE, "paid");
    }

    /// @notice One deposit, many signatures: as many are taken on as it pays for, item by item.
    function test_attack_moreSignedThanDeposited() external {
        vm.prank(requester);
        lazy.withdraw(DEPOSIT - 2 * uint256(PRICE), requester);
        bytes[] memory calls = new bytes[](3);
        for (uint256 i = 0; i < 3; ++i) {
            LazyRequest memory request = wantedNamed();
            calls[i] = abi.encodeCall(lazy.lockSignedAndFulfill, (request, signatureFor(request), truth()));
        }
        vm.prank(executor);
        assertEq(lazy.batch(calls), 2, "two could be paid");
        assertEq(lazy.backingOf(executor).used, 2 * COLLATERAL, "nothing is at stake for the third");
    }
}
