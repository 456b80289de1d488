// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {LazyClaim, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: one bad item spoils an executor's batch, a batch is used to act in another's name, or to count one
/// thing twice. Items fail one by one, each runs as its sender, and nothing of a failed one stays.
contract LazyBatchGriefAttack is LazyNetwork {
    function test_attack_anItemIsSpoiledInFrontOfTheBatch() external {
        bytes[] memory calls = new bytes[](4);
        LazyRequest[] memory requests = new LazyRequest[](4);
        for (uint256 i = 0; i < 4; ++i) {
            requests[i] = wantedNamed();
            calls[i] = abi.encodeCall(lazy.lockSignedAndFulfill, (requests[i], signatureFor(requests[i]), truth()));
        }
        // The requester cancels one just in time.
        vm.prank(requester);
        lazy.cancelNonces(requests[2].nonce >> 8, 1 << (requests[2].nonce & 255));
        vm.expectEmit(address(lazy));
        emit IRecordMarket.CallSkipped(
            executor,
            2,
            abi.encodeWithSelector(IRecordMarket.RecordMarket_NonceUsed.selector, requester, requests[2].nonce)
        );
        vm.prank(executor);
        assertEq(lazy.batch(calls), 3, "the others");
        assertLazy(idOf(requests[2]), LazyState.NONE);
        assertLazy(idOf(requests[3]), LazyState.ANSWERED);
        assertEq(lazy.backingOf(executor).used, 3 * COLLATERAL, "nothing is at stake for it");
    }

    function test_attack_theSameItemTwice() external {
        LazyClaim memory claim = honest();
        pastWindow(claim);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(lazy.finalize, (claim, ""));
        calls[1] = calls[0];
        assertEq(lazy.batch(calls), 1, "once");
        assertEq(lazy.balanceOf(executor), PRICE * 9 / 10, "paid once");
    }

    function test_attack_inAnothersName() external {
        LazyRequest memory request = wanted();
        send(request);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(lazy.withdraw, (1, stranger));
        calls[1] = abi.encodeCall(lazy.cancel, (request));
        vm.expectRevert(IRecordMarket.RecordMarket_NothingDone.selector);
        vm.prank(stranger);
        lazy.batch(calls);
        assertLazy(idOf(request), LazyState.OPEN);
    }

    function test_attack_aLongReasonIsCut() external {
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(lazy.cancelNonces, (9, 1));
        calls[1] = hex"deadbeef";
        vm.expectEmit(address(lazy));
        emit IRecordMarket.CallSkipped(address(this), 1, "");
        assertEq(lazy.batch(calls), 1, "unknown functions are skipped");
        vm.expectRevert(IRecordMarket.RecordMarket_NothingDone.selector);
        lazy.batch(new bytes[](0));
    }

    /// @notice A batch in a batch is as its items, and no more.
    function test_attack_nested() external {
        bytes[] memory inner = new bytes[](1);
        inner[0] = abi.encodeCall(lazy.withdraw, (DEPOSIT, requester));
        bytes[] memory outer = new bytes[](2);
        outer[0] = abi.encodeCall(lazy.batch, (inner));
        outer[1] = outer[0];
        vm.prank(requester);
        assertEq(lazy.batch(outer), 1, "there is only so much to withdraw");
        assertEq(token.balanceOf(requester), DEPOSIT, "once");
    }

    function test_attack_depositedOnceCountsOnce() external {
        token.mint(stranger, 100);
        vm.startPrank(stranger);
        token.approve(address(lazy), 100);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(lazy.deposit, (100));
        calls[1] = calls[0];
        assertEq(lazy.batch(calls), 1, "one transfer");
        assertEq(lazy.balanceOf(stranger), 100, "one credit");
        vm.expectPartialRevert(ITokenAccounts.TokenAccounts_InsufficientBalance.selector);
        lazy.withdraw(101, stranger);
        vm.stopPrank();
    }
}
