// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Member, MemberTerms, QuorumRequest, QuorumRound, QuorumState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice Many requests at once: to draw a member into more rounds than it can work on, or than its stake can back; or
/// to fill the honest ones' seats so that others are drawn.
contract QuorumCapacityExceededAttack is QuorumNetwork {
    function test_attack_neverMoreThanTheCapacity() external {
        for (uint256 i = 0; i < CAPACITY; ++i) {
            drawn(requestFor(7, 4));
        }
        for (uint256 i = 0; i < MEMBER_COUNT; ++i) {
            assertEq(memberOf(accounts[i]).openSeats, CAPACITY, "full");
        }
        QuorumRequest memory asked = requestFor(3, 2);
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        market.draw(asked, openedBlock);
        assertState(market.idOf(asked), QuorumState.REFUNDED);
    }

    /// @dev Four bonds are there, whatever capacity is claimed, and each seat keeps one.
    function test_attack_neverMoreThanTheStakeBacks() external {
        _claimMore();
        QuorumRound[] memory rounds = new QuorumRound[](4);
        for (uint256 i = 0; i < 4; ++i) {
            rounds[i] = drawn(requestFor(8, 5));
        }
        address small = accounts[MEMBER_COUNT];
        assertEq(memberOf(small).openSeats, 4, "as many as it has bonds");
        QuorumRequest memory asked = requestFor(8, 5);
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        market.draw(asked, openedBlock);
        assertState(market.idOf(asked), QuorumState.REFUNDED);

        // And every one of them can be taken.
        pastReveals(rounds[3]);
        for (uint256 i = 0; i < 4; ++i) {
            market.settle(rounds[i], "");
            Member memory member = memberOf(small);
            assertGe(member.stake, uint256(member.openSeats) * SEAT_BOND, "a bond for each seat that is left");
        }
        assertEq(memberOf(small).stake, 0, "all of it");
        assertEq(lockedOf(small), 0, "nothing locked");
    }

    /// @dev Who fills the others' seats to be drawn himself runs into what the requester asked for.
    function test_attack_fillingSeatsIsSeen() external {
        for (uint256 i = 0; i < MEMBER_COUNT - 3; ++i) {
            vm.prank(accounts[i]);
            pool.setTerms(versionId, CLASS, MemberTerms({capacity: 1, minPrice: 0, minSeconds: 0}));
        }
        nextBlock();
        drawn(requestFor(7, 4));
        QuorumRequest memory asked = requestFor(3, 2);
        asked.minEligible = uint128(4 * STAKE);
        uint256 refunded;
        for (uint256 i = 0; i < 10; ++i) {
            asked.nonce = nextNonce++;
            uint256 id = vm.snapshotState();
            uint64 openedBlock = open(asked);
            toSeed(openedBlock);
            market.draw(asked, openedBlock);
            if (market.stateOf(market.idOf(asked)) == QuorumState.REFUNDED) ++refunded;
            vm.revertToState(id);
        }
        assertTrue(refunded != 0, "full members count as not there");
    }

    /// @dev One member with the least stake, four bonds, and a capacity of a thousand, beside seven of enough.
    function _claimMore() private {
        address small = makeAddr("small");
        accounts.push(small);
        backPool(small, MIN_STAKE);
        vm.prank(small);
        pool.enroll(versionId, CLASS, MIN_STAKE, MemberTerms({capacity: 1000, minPrice: 0, minSeconds: 0}));
        for (uint256 i = 0; i < MEMBER_COUNT; ++i) {
            vm.prank(accounts[i]);
            pool.setTerms(versionId, CLASS, MemberTerms({capacity: 1000, minPrice: 0, minSeconds: 0}));
        }
        nextBlock();
    }
}
