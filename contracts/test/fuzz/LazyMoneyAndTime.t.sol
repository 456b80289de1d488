// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyClaim, LazyLock, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {TrustMode, VersionParams} from "../../src/types/ModelTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Whatever the amounts and times: money is whole, and of every two ways on, one is open.
contract LazyMoneyAndTimeFuzz is LazyNetwork {
    function testFuzz_aPriceIsSplitToTheUnit(uint256 price, uint256 royaltyBps, bool proven) external {
        VersionParams memory params = publication(packed, uint16(bound(royaltyBps, 0, registry.MAX_ROYALTY_BPS())));
        params.modes = uint8(1 << uint8(TrustMode.LAZY_ZK));
        vm.prank(builder);
        LazyRequest memory request = lazyRequest(registry.publishVersion(modelId, params), packed, 0);
        (request.executor, request.maxPrice) = (executor, uint128(bound(price, 0, DEPOSIT)));
        LazyClaim memory claim = claimNow(request, executor, request.maxPrice, truth());
        claim.royaltyBps = params.royaltyBps;
        bytes memory signature = signatureFor(request);
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, signature, truth());
        if (proven) prove(claim);
        else finalized(claim);
        LazyMoney memory afterwards = lazyMoney();
        uint256 royalty = uint256(request.maxPrice) * params.royaltyBps / 10_000;
        assertEq(afterwards.royalty, royalty, "rounded down");
        assertEq(afterwards.executorBalance, request.maxPrice - royalty, "the rest");
        assertEq(afterwards.requesterBalance, DEPOSIT - request.maxPrice, "paid once");
        assertEq(afterwards.escrowed, 0, "nothing is held back");
    }

    function testFuzz_atLeastHalfOfASlashBurns(uint256 price, uint256 collateral) external {
        LazyRequest memory request = wantedNamed();
        request.maxPrice = uint128(bound(price, 0, DEPOSIT));
        request.collateral = uint128(bound(collateral, FLOOR, BACKING));
        LazyClaim memory claim = challenged(answerSigned(request, "a lie"));
        slashed(claim);
        LazyMoney memory afterwards = lazyMoney();
        assertGe(afterwards.burning, (request.collateral + 1) / 2, "at least half");
        assertLe(afterwards.requesterCredit, request.maxPrice, "no more than the price");
        assertEq(
            afterwards.burning + afterwards.requesterCredit + afterwards.challengerCredit,
            request.collateral,
            "all of it, to the unit"
        );
        assertEq(afterwards.requesterBalance, DEPOSIT, "the price is back");
        assertEq(afterwards.total, BACKING - request.collateral, "and nothing else of the backing");
    }

    function testFuzz_atLeastHalfOfAMissedLockBurns(uint256 price, uint256 collateral, bool isTakenOver) external {
        LazyRequest memory request = wanted();
        request.maxPrice = uint128(bound(price, 0, DEPOSIT));
        request.collateral = uint128(bound(collateral, FLOOR, BACKING));
        backLazy(stranger, BACKING);
        LazyLock memory missed = lockedBy(request, executor);
        vm.warp(missed.lockDeadline + 1);
        if (isTakenOver) {
            vm.prank(stranger);
            lazy.takeOver(request, missed, 0);
        } else {
            lazy.refundLocked(request, missed);
        }
        uint256 credited = staking.creditOf(requester) + staking.creditOf(stranger);
        assertGe(staking.pendingBurn(), (request.collateral + 1) / 2, "at least half");
        assertEq(staking.pendingBurn() + credited, request.collateral, "all of it, to the unit");
        assertEq(
            credited, request.maxPrice < request.collateral / 2 ? request.maxPrice : request.collateral / 2, "the price"
        );
        assertEq(lazyMoney().escrowed, isTakenOver ? request.maxPrice : 0, "the price");
    }

    /// @notice In any second a lock can be answered or missed, never both.
    function testFuzz_answeredOrMissed(uint256 time) external {
        LazyRequest memory request = wanted();
        LazyLock memory made = lockedBy(request, executor);
        vm.warp(bound(time, block.timestamp, request.deadline + 1 days));
        bool inTime = block.timestamp <= made.lockDeadline;
        bytes memory answer = abi.encodeCall(lazy.fulfill, (request, made, truth()));
        bytes memory refund = abi.encodeCall(lazy.refundLocked, (request, made));
        _oneOf(inTime, address(lazy), answer, refund);
    }

    /// @notice In any second an answer can be doubted or become final, never both.
    function testFuzz_doubtedOrFinal(uint256 time, uint256 window) external {
        LazyRequest memory request = wantedNamed();
        request.challengeWindow = uint32(bound(window, MIN_CHALLENGE_WINDOW, MAX_CHALLENGE_WINDOW));
        LazyClaim memory claim = answerSigned(request, "a lie");
        depositAtCourt(executor, CHALLENGE_BOND);
        commitTo(executor, claim);
        nextBlock();
        vm.warp(bound(time, block.timestamp, block.timestamp + 2 * uint256(MAX_CHALLENGE_WINDOW)));
        bool inTime = block.timestamp <= claim.challengeDeadline;
        uint256 before = vm.snapshotState();
        bytes memory doubt = abi.encodeCall(court.challenge, (address(lazy), claim, SALT));
        assertEq(_succeeds(address(court), doubt) ? 1 : 0, inTime ? 1 : 0, "doubted in time");
        vm.revertToState(before);
        bytes memory end = abi.encodeCall(lazy.finalize, (claim, ""));
        assertEq(_succeeds(address(lazy), end) ? 1 : 0, inTime ? 0 : 1, "final after it");
    }

    /// @notice In any second a disputed answer can be proven or slashed, never both.
    function testFuzz_provenOrSlashed(uint256 time, uint256 window) external {
        LazyRequest memory request = wantedNamed();
        request.responseWindow = uint32(bound(window, MIN_RESPONSE_WINDOW, MAX_RESPONSE_WINDOW));
        LazyClaim memory claim = challenged(answerSigned(request, truth()));
        vm.warp(bound(time, block.timestamp, block.timestamp + 2 * uint256(MAX_RESPONSE_WINDOW)));
        bool inTime = block.timestamp <= court.disputeOf(address(lazy), claim.requestId).deadline;
        Case memory proven = packed.cases[0];
        _oneOf(
            inTime,
            address(court),
            abi.encodeCall(court.prove, (address(lazy), list(claim), 0, proven.input, proven.output, proven.proof)),
            abi.encodeCall(court.slash, (address(lazy), claim))
        );
    }

    /// @notice The price of a lock is the ramp's, in its second.
    function testFuzz_theRampsPrice(uint256 least, uint256 length, uint256 time) external {
        LazyRequest memory request = wantedNamed();
        request.minPrice = uint128(bound(least, 0, PRICE - 1));
        request.rampStart = uint64(block.timestamp) + 10;
        request.rampLength = uint32(bound(length, 1, 3590));
        uint256 requestId = send(request);
        vm.warp(bound(time, block.timestamp, request.deadline));
        uint256 price = PRICE;
        if (block.timestamp <= request.rampStart) {
            price = request.minPrice;
        } else if (block.timestamp < request.rampStart + request.rampLength) {
            price = request.minPrice + uint256(PRICE - request.minPrice) * (block.timestamp - request.rampStart)
                / request.rampLength;
        }
        LazyClaim memory claim = claimNow(request, executor, uint128(price), truth());
        vm.prank(executor);
        lazy.lockAndFulfill(request, truth());
        finalized(claim);
        assertLazy(requestId, LazyState.FINAL);
        assertEq(lazy.balanceOf(requester), DEPOSIT - price, "that price, and the change");
    }

    /// @dev `first` goes in time, `second` after it.
    function _oneOf(bool inTime, address target, bytes memory first, bytes memory second) private {
        uint256 before = vm.snapshotState();
        assertEq(_succeeds(target, first) ? 1 : 0, inTime ? 1 : 0, "in time");
        vm.revertToState(before);
        assertEq(_succeeds(target, second) ? 1 : 0, inTime ? 0 : 1, "too late");
    }

    function _succeeds(address target, bytes memory data) private returns (bool success) {
        vm.prank(executor);
        (success,) = target.call(data);
    }
}
