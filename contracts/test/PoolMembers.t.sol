// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {QuorumMembers} from "../src/quorum/QuorumMembers.sol";
import {Draw, Member, MemberLimits, MemberTerms, SeatEnd} from "../src/quorum/QuorumTypes.sol";
import {PlainNetwork} from "./PlainNetwork.t.sol";

/// @title Members whose market is the test
/// @notice Draws of any seed and look back to any block, without a market around them.
abstract contract PoolMembers is PlainNetwork {
    uint88 internal constant MIN_STAKE = 20e6;
    uint88 internal constant SEAT_BOND = 5e6;
    uint88 internal constant OUTLIER_SLASH = 2e6;
    bytes32 internal constant CLASS = keccak256("a runtime class");
    uint256 internal constant ENOUGH = 1e12;

    QuorumMembers internal pool;
    address[] internal accounts;
    uint256 internal rounds;

    function setUp() public virtual override {
        super.setUp();
        pool = new QuorumMembers(
            address(registry),
            address(staking),
            MemberLimits({minStake: MIN_STAKE, seatBond: SEAT_BOND, outlierSlash: OUTLIER_SLASH})
        );
    }

    /// @notice One more account with stake that waits to be used.
    function addAccount() internal returns (address account) {
        account = makeAddr(string.concat("member ", vm.toString(accounts.length)));
        accounts.push(account);
        token.mint(account, ENOUGH);
        vm.startPrank(account);
        token.approve(address(staking), ENOUGH);
        staking.stake(ENOUGH);
        staking.allocate(address(pool), ENOUGH);
        vm.stopPrank();
    }

    function enrollAs(address account, uint88 stake, uint16 capacity) internal {
        vm.prank(account);
        pool.enroll(versionId, CLASS, stake, MemberTerms({capacity: capacity, minPrice: 0, minSeconds: 0}));
    }

    function wanted(uint256 blockNumber, bytes32 seed, uint256 seats) internal pure returns (Draw memory) {
        return Draw({blockNumber: blockNumber, seed: seed, seats: seats, seatPrice: 0, workSeconds: 0, minEligible: 0});
    }

    function draw(uint256 blockNumber, bytes32 seed, uint256 seats) internal returns (address[] memory) {
        return pool.draw(versionId, CLASS, wanted(blockNumber, seed, seats));
    }

    /// @notice Ends the seats of all these members in the same way.
    function end(address[] memory members, SeatEnd how) internal {
        SeatEnd[] memory ends = new SeatEnd[](members.length);
        for (uint256 i = 0; i < ends.length; ++i) {
            ends[i] = how;
        }
        pool.endSeats(versionId, CLASS, ++rounds, members, ends, address(0), 0);
    }

    function memberOf(address account) internal view returns (Member memory) {
        return pool.memberOf(versionId, CLASS, account);
    }
}
