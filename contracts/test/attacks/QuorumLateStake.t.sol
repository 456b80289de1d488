// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {QuorumRequest, QuorumRound} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice Who sees a request (in the mempool, in its block, or before its seed) floods its pool with stake, to be
/// drawn into it.
contract QuorumLateStakeAttack is QuorumNetwork {
    uint256 internal constant SYBILS = 20;
    uint88 internal constant FLOOD = 10_000e6;

    address[] internal sybils;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < SYBILS; ++i) {
            sybils.push(makeAddr(string.concat("sybil ", vm.toString(i))));
            backPool(sybils[i], FLOOD);
        }
    }

    /// @dev In the request's own block, before it: front-run.
    function test_attack_inFrontOfTheRequest() external {
        _flood();
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        _assertNoSybil(draw(asked, openedBlock));
    }

    function test_attack_behindTheRequest() external {
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        _flood();
        toSeed(openedBlock);
        _assertNoSybil(draw(asked, openedBlock));
    }

    function test_attack_betweenRequestAndSeed() external {
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        vm.roll(openedBlock + 1);
        _flood();
        toSeed(openedBlock);
        _assertNoSybil(draw(asked, openedBlock));
    }

    function test_attack_whenTheSeedIsKnown() external {
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        _flood();
        _assertNoSybil(draw(asked, openedBlock));
    }

    /// @dev A member adds to its own stake: it is drawn by what it had.
    function test_attack_byAMemberOfThePool() external {
        QuorumRequest memory asked = requestFor(3, 2);
        uint64 openedBlock = open(asked);
        backPool(accounts[6], FLOOD);
        vm.prank(accounts[6]);
        pool.addStake(versionId, CLASS, FLOOD);
        toSeed(openedBlock);
        assertEq(pool.weightAt(versionId, CLASS, accounts[6], openedBlock - 1), STAKE, "what it had");
        uint256 id = vm.snapshotState();
        QuorumRound memory round = draw(asked, openedBlock);
        // The same draw without the addition.
        vm.revertToState(id);
        vm.prank(accounts[6]);
        pool.sleep(versionId, CLASS);
        vm.prank(accounts[6]);
        pool.wake(versionId, CLASS);
        assertEq(abi.encode(draw(asked, openedBlock)), abi.encode(round), "the same members");
    }

    /// @dev In the next block the stake counts: then it has been there before the request.
    function test_attack_stakeFromBeforeCounts() external {
        _flood();
        nextBlock();
        QuorumRound memory round = drawn(request());
        uint256 seated;
        for (uint256 i = 0; i < SYBILS; ++i) {
            seated += memberOf(sybils[i]).openSeats;
        }
        assertEq(seated, round.members.length, "nearly all the stake is theirs");
    }

    /// @dev Stake that is there in one block and gone in the next: it is drawn by weight, and not fit to sit.
    function test_attack_stakeForOneBlock() external {
        _flood();
        nextBlock();
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        for (uint256 i = 0; i < SYBILS; ++i) {
            vm.startPrank(sybils[i]);
            pool.unenroll(versionId, CLASS);
            // Back with the least, so that the rest may work elsewhere.
            pool.enroll(versionId, CLASS, MIN_STAKE, terms());
            vm.stopPrank();
        }
        toSeed(openedBlock);
        market.draw(asked, openedBlock);
        for (uint256 i = 0; i < SYBILS; ++i) {
            assertEq(memberOf(sybils[i]).openSeats, 0, "not with less than it was drawn by");
        }
    }

    function _flood() private {
        for (uint256 i = 0; i < SYBILS; ++i) {
            enrollAs(sybils[i], FLOOD);
        }
    }

    function _assertNoSybil(QuorumRound memory round) private view {
        assertEq(round.members.length, 5, "drawn from the others");
        for (uint256 i = 0; i < SYBILS; ++i) {
            assertEq(memberOf(sybils[i]).openSeats, 0, "late stake counts nothing");
        }
    }
}
