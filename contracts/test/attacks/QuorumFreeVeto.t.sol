// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {MemberTerms, QuorumRequest, QuorumRound, QuorumState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice A member who dislikes a draw that he can foretell from the seed makes himself unable to sit, so that less
/// than `minEligible` is left, the price is refunded, and the requester asks for another seed.
contract QuorumFreeVetoAttack is QuorumNetwork {
    enum Way {
        SLEEP,
        LEAVE,
        PRICE,
        TIME,
        CAPACITY
    }

    function testFuzz_attack_undoingADraw(uint8 seat, uint8 chosen) external {
        (QuorumRequest memory asked, uint64 openedBlock) = _opened();
        QuorumRound memory foreseen = _foresee(asked, openedBlock);
        address unwilling = foreseen.members[bound(seat, 0, 2)];
        Way way = Way(bound(chosen, 0, uint256(Way.CAPACITY)));
        _dodge(unwilling, way);
        QuorumRound memory round = draw(asked, openedBlock);
        for (uint256 i = 0; i < 3; ++i) {
            // A capacity of one is still one.
            if (way != Way.CAPACITY) assertTrue(round.members[i] != unwilling, "passed over");
        }
        assertState(round.requestId, QuorumState.DRAWN);
        if (way != Way.LEAVE) assertEq(memberOf(unwilling).stake, STAKE, "and not slashed");
    }

    /// @dev All three: three others sit.
    function test_attack_undoingADrawTogether() external {
        (QuorumRequest memory asked, uint64 openedBlock) = _opened();
        QuorumRound memory foreseen = _foresee(asked, openedBlock);
        for (uint256 i = 0; i < 3; ++i) {
            _dodge(foreseen.members[i], Way.SLEEP);
        }
        QuorumRound memory round = draw(asked, openedBlock);
        for (uint256 i = 0; i < 9; ++i) {
            assertTrue(round.members[i / 3] != foreseen.members[i % 3], "others");
        }
    }

    /// @dev A seat that he was given, he cannot sleep away.
    function test_attack_sleepingAfterTheDraw() external {
        (QuorumRequest memory asked, uint64 openedBlock) = _opened();
        toSeed(openedBlock);
        QuorumRound memory round = draw(asked, openedBlock);
        _dodge(round.members[0], Way.SLEEP);
        pastReveals(round);
        market.settle(round, "");
        assertEq(memberOf(round.members[0]).stake, STAKE - SEAT_BOND, "silence costs");
    }

    /// @dev The whole stake must be eligible.
    function _opened() private returns (QuorumRequest memory asked, uint64 openedBlock) {
        asked = requestFor(3, 2);
        asked.minEligible = uint128(MEMBER_COUNT * STAKE);
        openedBlock = open(asked);
    }

    /// @dev What anybody can compute from the seed.
    function _foresee(QuorumRequest memory asked, uint64 openedBlock) private returns (QuorumRound memory round) {
        toSeed(openedBlock);
        uint256 snapshot = vm.snapshotState();
        round = draw(asked, openedBlock);
        vm.revertToState(snapshot);
    }

    function _dodge(address member, Way way) private {
        vm.startPrank(member);
        if (way == Way.SLEEP) pool.sleep(versionId, CLASS);
        else if (way == Way.LEAVE) pool.unenroll(versionId, CLASS);
        else if (way == Way.PRICE) pool.setTerms(versionId, CLASS, MemberTerms(CAPACITY, type(uint72).max, 0));
        else if (way == Way.TIME) pool.setTerms(versionId, CLASS, MemberTerms(CAPACITY, 0, type(uint24).max));
        else pool.setTerms(versionId, CLASS, MemberTerms(1, 0, 0));
        vm.stopPrank();
    }
}
