// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {LazyClaim, LazyLock, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {Permit} from "../../src/types/MarketTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @title Several calls in one transaction
contract LazyBatchTest is LazyNetwork {
    /// @notice A requester without a deposit: permit, deposit and request at once.
    function test_permitDepositAndRequest() external {
        (address account, uint256 key) = makeAddrAndKey("a new requester");
        token.mint(account, PRICE);
        Permit memory permit = permitFor(key, address(lazy), PRICE, block.timestamp);
        LazyRequest memory request = wanted();
        request.requester = account;
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(lazy.depositWithPermit, (permit));
        calls[1] = abi.encodeCall(lazy.request, (request, packed.cases[0].input));
        vm.prank(account);
        assertEq(lazy.batch(calls), 2, "both");
        assertLazy(idOf(request), LazyState.OPEN);
        assertEq(lazy.balanceOf(account), 0, "all of it is in escrow");
    }

    /// @notice Each is judged after those before it.
    function test_itemsSeeEachOther() external {
        LazyRequest memory request = wantedNamed();
        send(request);
        LazyLock memory made = lockNow(request, executor);
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(lazy.fulfill, (request, made, truth())); // not yet locked
        calls[1] = abi.encodeCall(lazy.lock, (request, 0, 0));
        calls[2] = abi.encodeCall(lazy.fulfill, (request, made, truth()));
        vm.expectEmit(address(lazy));
        emit IRecordMarket.CallSkipped(executor, 0, otherRecord(idOf(request), LazyState.OPEN, LazyState.LOCKED));
        vm.prank(executor);
        assertEq(lazy.batch(calls), 2, "in their order");
        assertLazy(idOf(request), LazyState.ANSWERED);
    }

    function test_locksAndTakeOversTogether() external {
        backLazy(stranger, BACKING);
        LazyRequest memory open = wanted();
        LazyRequest memory missed = wanted();
        LazyLock memory old = lockedBy(missed, executor);
        send(open);
        LazyRequest memory signed = wanted();
        bytes memory signature = signatureFor(signed);
        vm.warp(old.lockDeadline + 1);
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(lazy.lock, (open, 0, 0));
        calls[1] = abi.encodeCall(lazy.takeOver, (missed, old, 0));
        calls[2] = abi.encodeCall(lazy.lockSigned, (signed, signature, 0, 0));
        vm.prank(stranger);
        assertEq(lazy.batch(calls), 3, "all of them");
        assertEq(lazy.backingOf(stranger).used, 3 * COLLATERAL, "each with its collateral");
        assertEq(staking.creditOf(stranger), PRICE, "and the reward for the missed one");
    }

    /// @notice As many locks as the backing is enough for; the rest is left out.
    function test_asMuchAsTheBackingIsEnoughFor() external {
        vm.prank(executor);
        lazy.unback(BACKING - 2 * uint256(COLLATERAL));
        bytes[] memory calls = new bytes[](4);
        for (uint256 i = 0; i < 4; ++i) {
            LazyRequest memory request = wanted();
            send(request);
            calls[i] = abi.encodeCall(lazy.lock, (request, 0, 0));
        }
        vm.prank(executor);
        assertEq(lazy.batch(calls), 2, "two");
        assertEq(lazy.backingOf(executor).used, lazy.backingOf(executor).total, "all of it is used");
    }

    /// @notice Everybody's ends in one transaction, by a stranger.
    function test_endsOfAllKinds() external {
        LazyClaim memory claim = honest();
        LazyRequest memory open = wanted();
        send(open);
        LazyRequest memory late = wanted();
        LazyLock memory missed = lockedBy(late, executor);
        vm.warp(claim.challengeDeadline + 1);
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(lazy.finalize, (claim, ""));
        calls[1] = abi.encodeCall(lazy.refund, (open));
        calls[2] = abi.encodeCall(lazy.refundLocked, (late, missed));
        vm.prank(stranger);
        assertEq(lazy.batch(calls), 3, "all of them");
        assertEq(lazyMoney().escrowed, 0, "nothing is held back");
        assertEq(lazy.balanceOf(requester), DEPOSIT - PRICE, "one was paid, two are back");
        assertEq(lazy.backingOf(executor).used, 0, "and all backing is free");
    }

    /// @notice A batch is as its calls sent one by one: the same states, the same money.
    function testFuzz_asIfSentOneByOne(uint256 seed) external {
        bytes[] memory calls = new bytes[](8);
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            LazyRequest memory request = wantedNamed();
            if (dice % 4 == 0) request.maxPrice = uint128(DEPOSIT / 3);
            if (dice % 4 == 1) request.collateral = uint128(BACKING / 3);
            if (dice % 8 == 2) request.executor = stranger; // not the caller's
            if (dice % 8 == 3) request.nonce = 0; // used by the first of them
            calls[i] = abi.encodeCall(lazy.lockSignedAndFulfill, (request, signatureFor(request), truth()));
        }
        uint256 before = vm.snapshotState();
        uint256 done;
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(executor);
            (bool success,) = address(lazy).call(calls[i]);
            if (success) ++done;
        }
        bytes memory oneByOne = abi.encode(lazyMoney(), lazy.nonceWord(requester, 0));
        vm.revertToState(before);
        vm.prank(executor);
        (bool any, bytes memory returned) = address(lazy).call(abi.encodeCall(lazy.batch, (calls)));
        assertEq(any ? abi.decode(returned, (uint256)) : 0, done, "as many");
        assertEq(abi.encode(lazyMoney(), lazy.nonceWord(requester, 0)), oneByOne, "the same");
    }
}
