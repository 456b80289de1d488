// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Member, MemberTerms, SeatEnd} from "../../src/quorum/QuorumTypes.sol";
import {PoolMembers} from "../PoolMembers.t.sol";

/// @notice What seats cost, and who can sit after that, with the test as the market.
contract QuorumMembersTest is PoolMembers {
    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 3; ++i) {
            enrollAs(addAccount(), MIN_STAKE, 5);
        }
        vm.roll(block.number + 1);
    }

    function test_theTestIsTheMarket() external view {
        assertEq(pool.market(), address(this), "who created it");
    }

    /// @notice Twenty dollars, two a time: the eighth leaves less than a bond.
    function test_whoHasLessThanABondSleeps() external {
        for (uint256 i = 1; i <= 8; ++i) {
            address[] memory members = _drawThree();
            end(members, SeatEnd.OUTVOTED);
            Member memory member = memberOf(accounts[0]);
            assertEq(member.stake, MIN_STAKE - i * OUTLIER_SLASH, "stake");
            assertTrue(member.isAwake == (member.stake >= SEAT_BOND), "awake while a bond is left");
        }
        vm.roll(block.number + 1);
        (uint256 eligible,) = pool.eligibleStakeAt(versionId, CLASS, block.number - 1);
        assertEq(eligible, 0, "nobody can be drawn");
        assertEq(draw(block.number - 1, "dice", 1).length, 0, "nobody is");
    }

    /// @notice A bond each time, filled up each time: as often as one likes to pay.
    function test_theSilentComeBackWithFreshStake() external {
        for (uint256 i = 0; i < 3; ++i) {
            end(_drawThree(), SeatEnd.SILENT);
            assertFalse(memberOf(accounts[0]).isAwake, "asleep");
            _wakeAll();
            assertEq(memberOf(accounts[0]).stake, MIN_STAKE, "filled up");
        }
        assertEq(staking.pendingBurn(), 9 * uint256(SEAT_BOND), "nine bonds");
    }

    function test_eachSeatEndsInItsOwnWay() external {
        address[] memory members = _drawThree();
        SeatEnd[] memory ends = new SeatEnd[](3);
        (ends[0], ends[1], ends[2]) = (SeatEnd.FREE, SeatEnd.OUTVOTED, SeatEnd.SILENT);
        uint256 compensated = pool.endSeats(versionId, CLASS, 1, members, ends, requester, 3e6);
        assertEq(memberOf(members[0]).stake, MIN_STAKE, "free");
        assertEq(memberOf(members[1]).stake, MIN_STAKE - OUTLIER_SLASH, "outvoted");
        assertEq(memberOf(members[2]).stake, MIN_STAKE - SEAT_BOND, "silent");
        // Half of two, and of the bond what is left of three.
        assertEq(compensated, 3e6, "up to the most");
        assertEq(staking.creditOf(requester), 3e6, "credited");
        assertEq(staking.pendingBurn(), OUTLIER_SLASH + SEAT_BOND - 3e6, "the rest burns");
        assertTrue(memberOf(members[1]).isAwake && !memberOf(members[2]).isAwake, "only the silent sleep");
    }

    function test_atMostHalfCompensates() external {
        address[] memory members = _drawThree();
        SeatEnd[] memory ends = new SeatEnd[](3);
        (ends[0], ends[1], ends[2]) = (SeatEnd.SILENT, SeatEnd.SILENT, SeatEnd.SILENT);
        uint256 compensated = pool.endSeats(versionId, CLASS, 1, members, ends, requester, type(uint128).max);
        assertEq(compensated, 3 * (uint256(SEAT_BOND) / 2), "half of each");
        assertEq(staking.pendingBurn(), 3 * (uint256(SEAT_BOND) - SEAT_BOND / 2), "half burns");
    }

    function test_whoSleepsWithASeatKeepsIt() external {
        address[] memory members = _drawThree();
        vm.prank(members[1]);
        pool.sleep(versionId, CLASS);
        assertEq(memberOf(members[1]).openSeats, 1, "seated");
        end(members, SeatEnd.FREE);
        assertEq(memberOf(members[1]).openSeats, 0, "free");
        assertFalse(memberOf(members[1]).isAwake, "still asleep");
    }

    /// @notice Four bonds, so four seats at once, though five were offered.
    function test_aBondBehindEachSeat() external {
        for (uint256 i = 0; i < 4; ++i) {
            _drawThree();
        }
        assertEq(memberOf(accounts[0]).openSeats, 4, "as many as it has bonds");
        assertEq(draw(block.number - 1, "dice", 1).length, 0, "no fifth");
    }

    function test_theCapacityIsALimit() external {
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(accounts[i]);
            pool.setTerms(versionId, CLASS, MemberTerms({capacity: 2, minPrice: 0, minSeconds: 0}));
        }
        _drawThree();
        _drawThree();
        assertEq(draw(block.number - 1, "dice", 1).length, 0, "no third");
        assertEq(memberOf(accounts[0]).openSeats, 2, "two");
    }

    function _drawThree() private returns (address[] memory members) {
        vm.roll(block.number + 1);
        members = draw(block.number - 1, keccak256(abi.encode(block.number)), 3);
        assertEq(members.length, 3, "all three");
    }

    function _wakeAll() private {
        for (uint256 i = 0; i < 3; ++i) {
            Member memory member = memberOf(accounts[i]);
            if (member.isAwake) continue;
            uint88 missing = member.stake < MIN_STAKE ? MIN_STAKE - member.stake : 0;
            vm.startPrank(accounts[i]);
            pool.addStake(versionId, CLASS, missing);
            pool.wake(versionId, CLASS);
            vm.stopPrank();
        }
    }
}
