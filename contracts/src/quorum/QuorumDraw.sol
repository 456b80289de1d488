// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {QuorumEnrolment} from "./QuorumEnrolment.sol";
import {Draw, Member} from "./QuorumTypes.sol";
import {StakeTree} from "./StakeTree.sol";

/// @title Draw of a round's members
/// @notice A seed puts the members in an order: each place falls to one of those not placed yet, with a chance
/// proportional to its stake at the end of the block before the request. The first in this order who can sit get the
/// seats. Whether one can sit has no influence on the order: who drops out after the seed is known gives his seat to
/// one whom he did not choose.
abstract contract QuorumDraw is QuorumEnrolment {
    using StakeTree for StakeTree.Tree;

    /// @dev Places that were given out, by their starts, ascending.
    struct Placed {
        uint256 count;
        uint256[] starts;
        uint256[] weights;
    }

    /// @dev Places beyond twice the seats.
    uint256 private constant SPARE_PLACES = 8;

    /// @dev Seats the drawn ones.
    /// @return members in the order of the draw; empty where there are not enough, and then nobody sits.
    function _draw(PoolRef memory ref, Draw memory wanted) internal returns (address[] memory members) {
        Pool storage pool = _poolOf(ref);
        members = _select(pool, wanted);
        for (uint256 i = 0; i < members.length; ++i) {
            ++pool.members[members[i]].openSeats;
        }
    }

    function _select(Pool storage pool, Draw memory wanted) private view returns (address[] memory members) {
        (uint256 left, uint256 size) = pool.tree.wholeAt(wanted.blockNumber);
        uint256 eligible = left;
        uint256 places = 2 * wanted.seats + SPARE_PLACES;
        Placed memory placed = Placed(0, new uint256[](places), new uint256[](places));
        members = new address[](wanted.seats);
        uint256 seated;
        while (seated < wanted.seats) {
            // Check: somebody is left, and enough stake that could have been drawn; again after each who is full.
            if (placed.count == places || left == 0 || eligible < wanted.minEligible) return new address[](0);
            (address account, uint256 weight) = _place(pool, wanted, placed, left, size);
            left -= weight;
            Member memory member = pool.members[account];
            if (_isFull(member)) {
                eligible -= weight;
            } else if (_canSit(member, weight, wanted)) {
                members[seated] = account;
                ++seated;
            }
        }
    }

    /// @dev Gives the next place of the order to one of those who have none.
    /// @param left sum of their weights.
    function _place(Pool storage pool, Draw memory wanted, Placed memory placed, uint256 left, uint256 size)
        private
        view
        returns (address account, uint256 weight)
    {
        // A remainder of 256 random bits favours small numbers by less than one part in 2^100.
        uint256 point = uint256(keccak256(abi.encode(wanted.seed, placed.count))) % left;
        // From the line of those without a place to the line of all: over everybody placed who begins at or before it.
        for (uint256 i = 0; i < placed.count && point >= placed.starts[i]; ++i) {
            point += placed.weights[i];
        }
        uint256 start;
        uint256 position;
        (position, start) = pool.tree.find(wanted.blockNumber, size, point);
        weight = pool.tree.weightAt(wanted.blockNumber, position);
        account = pool.accounts[position];
        _insert(placed, start, weight);
    }

    /// @dev Other rounds take all that it offers. Nothing else counts against the eligible stake: whoever sleeps,
    /// leaves or changes his price when he knows the seed must not undo the draw.
    function _isFull(Member memory member) private view returns (bool) {
        uint256 seats = member.openSeats;
        return seats != 0 && (seats >= member.capacity || (seats + 1) * SEAT_BOND > member.stake);
    }

    /// @dev Awake, with all the stake that it was drawn by, on its own terms. The caller has checked that it is not
    /// full. Without open seats, a member that is awake has a bond and a capacity.
    function _canSit(Member memory member, uint256 weight, Draw memory wanted) private pure returns (bool) {
        return member.isAwake && member.stake >= weight && member.minPrice <= wanted.seatPrice
            && member.minSeconds <= wanted.workSeconds;
    }

    function _insert(Placed memory placed, uint256 start, uint256 weight) private pure {
        uint256 at = placed.count;
        for (; at != 0 && placed.starts[at - 1] > start; --at) {
            placed.starts[at] = placed.starts[at - 1];
            placed.weights[at] = placed.weights[at - 1];
        }
        placed.starts[at] = start;
        placed.weights[at] = weight;
        ++placed.count;
    }
}
