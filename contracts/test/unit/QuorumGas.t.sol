// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {QuorumRequest, QuorumRound} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @title Gas of rounds
/// @notice Whole transactions, as in `GasSnapshots`; the file is `contracts/snapshots/Quorum.json`. Five members, three
/// of whom must agree, 8 bytes of input and output, no callback, balances not zero before.
/// forge-config: default.isolate = true
contract QuorumGasTest is QuorumNetwork {
    string internal constant GROUP = "Quorum";
    uint256 internal constant CROWD = 100;

    function setUp() public override {
        super.setUp();
        // Balances and royalties of a network in use are not zero, and versions were asked before.
        depositAt(address(market), stranger, 1);
        QuorumRound memory round = revealed(requestFor(7, 4), 7);
        market.settle(round, output);
    }

    function test_enroll() external {
        address account = makeAddr("newcomer");
        backPool(account, STAKE);
        enrollAs(account, STAKE);
        vm.snapshotGasLastCall(GROUP, "enroll");
    }

    function test_addStakeAndSleep() external {
        vm.prank(accounts[0]);
        pool.addStake(versionId, CLASS, 1);
        vm.snapshotGasLastCall(GROUP, "add stake");
        vm.prank(accounts[1]);
        pool.sleep(versionId, CLASS);
        vm.snapshotGasLastCall(GROUP, "sleep");
        vm.prank(accounts[2]);
        pool.unenroll(versionId, CLASS);
        vm.snapshotGasLastCall(GROUP, "unenroll");
    }

    function test_request() external {
        open(request());
        vm.snapshotGasLastCall(GROUP, "request");
    }

    function test_requestSigned() external {
        QuorumRequest memory asked = request();
        bytes memory signature = signatureOf(requesterKey, market.idOf(asked));
        market.requestSigned(asked, signature, input);
        vm.snapshotGasLastCall(GROUP, "request, signed");
    }

    function test_draw() external {
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        market.draw(asked, openedBlock);
        vm.snapshotGasLastCall(GROUP, "draw 5 of 7");
    }

    /// @notice A hundred positions that changed often: the tree's depth and history show.
    function test_drawFromACrowd() external {
        for (uint256 i = 0; i < CROWD; ++i) {
            address account = makeAddr(string.concat("crowd ", vm.toString(i)));
            backPool(account, ALLOCATED);
            enrollAs(account, STAKE);
            nextBlock();
        }
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        vm.prank(accounts[0]);
        pool.addStake(versionId, CLASS, 1);
        vm.snapshotGasLastCall(GROUP, "add stake, 107 positions");
        toSeed(openedBlock);
        market.draw(asked, openedBlock);
        vm.snapshotGasLastCall(GROUP, "draw 5 of 107");
    }

    function test_refundOfAMissedSeed() external {
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        vm.roll(openedBlock + SEED_DELAY + 257);
        market.refund(asked, openedBlock);
        vm.snapshotGasLastCall(GROUP, "refund of a missed seed");
    }

    function test_commitAndReveal() external {
        QuorumRound memory round = drawn(request());
        for (uint256 seat = 0; seat < 5; ++seat) {
            commitAs(round, seat, output);
        }
        vm.snapshotGasLastCall(GROUP, "commit");
        for (uint256 seat = 0; seat < 5; ++seat) {
            revealAs(round, seat, output);
        }
        vm.snapshotGasLastCall(GROUP, "reveal when all committed");
    }

    function test_revealAfterTheDeadline() external {
        QuorumRound memory round = drawn(request());
        commitAs(round, 0, output);
        pastCommits(round);
        revealAs(round, 0, output);
        vm.snapshotGasLastCall(GROUP, "reveal after the deadline");
    }

    function test_settle() external {
        _settle(5, 5, "settle, all agree");
    }

    function test_settleWithAnOutlier() external {
        _settle(4, 5, "settle, one is outvoted");
    }

    function test_settleWithOutlierAndSilence() external {
        _settle(3, 4, "settle, one is outvoted and one silent");
    }

    function test_settleWithoutQuorum() external {
        QuorumRound memory round = drawn(request());
        pastCommits(round);
        market.settle(round, "");
        vm.snapshotGasLastCall(GROUP, "settle, all five are silent");
    }

    /// @dev The first so many are honest, the next lie, the rest are silent.
    function _settle(uint256 honest, uint256 answering, string memory name) private {
        QuorumRound memory round = drawn(request());
        for (uint256 seat = 0; seat < answering; ++seat) {
            commitAs(round, seat, seat < honest ? output : lieOf(seat));
        }
        pastCommits(round);
        for (uint256 seat = 0; seat < answering; ++seat) {
            revealAs(round, seat, seat < honest ? output : lieOf(seat));
        }
        pastReveals(round);
        market.settle(round, output);
        vm.snapshotGasLastCall(GROUP, name);
    }
}
