// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyClaim, LazyLock, LazyRequest} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @title Gas of the lazy market's transactions
/// @notice Whole transactions, as in `GasSnapshots`; the file is `contracts/snapshots/Lazy.json`. The issue's bars are
/// asserted beside the snapshots: a request over its undisputed life, alone and among 32.
/// forge-config: default.isolate = true
contract LazyGasTest is LazyNetwork {
    string internal constant GROUP = "Lazy";
    uint256 internal constant LIFE_BAR = 190_000;
    uint256 internal constant BATCH_BAR = 85_000;
    uint256 internal constant ROWS = 32;

    function setUp() public override {
        super.setUp();
        // Balances, royalties and the word of nonces of a network in use are not zero.
        finalized(honest());
        prove(challenged(honest()));
        depositAtCourt(executor, 1);
    }

    function test_life() external {
        LazyRequest memory request = wantedNamed();
        bytes memory signature = signatureFor(request);
        LazyClaim memory claim = claimNow(request, executor, PRICE, truth());
        bytes memory output = truth();
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, signature, output);
        uint256 used = vm.snapshotGasLastCall(GROUP, "lock and answer a signed request");
        pastWindow(claim);
        vm.prank(executor);
        lazy.finalize(claim, "");
        used += vm.snapshotGasLastCall(GROUP, "finalize");
        vm.snapshotValue(GROUP, "a signed request's whole life", used);
        assertLe(used, LIFE_BAR, "the bar");
    }

    function test_lifeOf32() external {
        bytes[] memory answers = new bytes[](ROWS);
        LazyClaim[] memory claims = new LazyClaim[](ROWS);
        bytes memory output = truth();
        for (uint256 i = 0; i < ROWS; ++i) {
            LazyRequest memory request = wantedNamed();
            claims[i] = claimNow(request, executor, PRICE, output);
            answers[i] = abi.encodeCall(lazy.lockSignedAndFulfill, (request, signatureFor(request), output));
        }
        vm.prank(executor);
        lazy.batch(answers);
        uint256 used = vm.snapshotGasLastCall(GROUP, "lock and answer 32 signed requests");
        vm.snapshotValue(GROUP, "lock and answer 32 signed requests, each", used / ROWS);
        pastWindow(claims[0]);
        vm.prank(executor);
        lazy.finalizeMany(claims);
        used += vm.snapshotGasLastCall(GROUP, "finalize 32");
        vm.snapshotValue(GROUP, "32 signed requests' whole life, each", used / ROWS);
        assertLe(used / ROWS, BATCH_BAR, "the bar");
        lazy.keepResult(claims[0]);
        vm.snapshotGasLastCall(GROUP, "keep a result");
    }

    function test_request() external {
        LazyRequest memory request = wanted();
        bytes memory input = packed.cases[0].input;
        vm.prank(requester);
        lazy.request(request, input);
        vm.snapshotGasLastCall(GROUP, "request");
    }

    function test_lockAndFulfill() external {
        LazyRequest memory request = wanted();
        send(request);
        LazyLock memory made = lockLazy(request, executor);
        vm.snapshotGasLastCall(GROUP, "lock");
        nextBlock();
        bytes memory output = truth();
        vm.prank(executor);
        lazy.fulfill(request, made, output);
        vm.snapshotGasLastCall(GROUP, "answer");
    }

    function test_takeOver() external {
        LazyRequest memory request = wanted();
        LazyLock memory missed = lockedBy(request, executor);
        backLazy(stranger, BACKING);
        vm.warp(missed.lockDeadline + 1);
        vm.prank(stranger);
        lazy.takeOver(request, missed, 0);
        vm.snapshotGasLastCall(GROUP, "take over a missed lock");
    }

    function test_refunds() external {
        LazyRequest memory request = wanted();
        LazyLock memory missed = lockedBy(request, executor);
        vm.warp(missed.lockDeadline + 1);
        lazy.refundLocked(request, missed);
        vm.snapshotGasLastCall(GROUP, "refund and slash a missed lock");
        request = wanted();
        send(request);
        vm.warp(request.deadline + 1);
        lazy.refund(request);
        vm.snapshotGasLastCall(GROUP, "refund an open request");
    }

    function test_backing() external {
        token.mint(executor, 2 * COLLATERAL);
        vm.startPrank(executor);
        token.approve(address(staking), 2 * COLLATERAL);
        staking.stake(2 * COLLATERAL);
        staking.allocate(address(lazy), 2 * COLLATERAL);
        vm.stopPrank();
        vm.prank(executor);
        lazy.back(COLLATERAL);
        vm.snapshotGasLastCall(GROUP, "back");
        vm.prank(executor);
        lazy.unback(COLLATERAL);
        vm.snapshotGasLastCall(GROUP, "take backing back");
    }

    function test_challenge() external {
        LazyClaim memory claim = lie();
        commitTo(challenger, claim);
        vm.snapshotGasLastCall(GROUP, "commit to a challenge");
        nextBlock();
        vm.prank(challenger);
        court.challenge(address(lazy), claim, SALT);
        vm.snapshotGasLastCall(GROUP, "challenge");
        missDeadline(claim);
        court.slash(address(lazy), claim);
        vm.snapshotGasLastCall(GROUP, "slash");
    }

    function test_challengeBehindAnother() external {
        challenged(lie());
        LazyClaim memory claim = lie();
        commitTo(challenger, claim);
        nextBlock();
        vm.prank(challenger);
        court.challenge(address(lazy), claim, SALT);
        vm.snapshotGasLastCall(GROUP, "challenge while another is open");
    }

    function test_drawLot() external {
        LazyRequest memory request = wantedNamed();
        request.auditBps = 10_000;
        LazyClaim memory claim = answerSigned(request, truth());
        skip(1);
        skip(1);
        vm.prank(challenger);
        court.drawLot(address(lazy), claim);
        vm.snapshotGasLastCall(GROUP, "draw a lot");
    }

    function test_prove() external {
        LazyClaim memory claim = challenged(honest());
        LazyClaim memory other = honest();
        _prove(list(claim), "prove a challenged answer");
        _prove(list(other), "prove an answer early");
    }

    function test_proveTwo() external {
        _prove(list(challenged(honest()), challenged(honest())), "prove two challenged answers");
    }

    function _prove(LazyClaim[] memory claims, string memory name) private {
        Case memory proven = packed.cases[0];
        vm.prank(executor);
        court.prove(address(lazy), claims, 0, proven.input, proven.output, proven.proof);
        vm.snapshotGasLastCall(GROUP, name);
    }
}
