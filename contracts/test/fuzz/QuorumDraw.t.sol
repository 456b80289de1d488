// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Member, SeatEnd} from "../../src/quorum/QuorumTypes.sol";
import {PoolMembers} from "../PoolMembers.t.sol";

/// @title Draws against a plain list
/// @notice The reference knows no tree: it keeps what everybody weighed at the end of each block, and walks the list.
contract QuorumDrawFuzz is PoolMembers {
    uint256 internal constant MAX_ACCOUNTS = 12;
    uint256 internal constant SAMPLES = 2000;

    mapping(uint256 blockNumber => uint256[] weights) internal history;
    uint256 internal firstBlock;

    function setUp() public override {
        super.setUp();
        firstBlock = block.number;
        for (uint256 i = 0; i < 3; ++i) {
            enrollAs(addAccount(), uint88((i + 1) * 20e6), 3);
        }
        _endBlock();
    }

    /// @notice Any order of enrolling, adding, sleeping, waking, leaving and being slashed: all blocks' weights are
    /// right, whenever one looks back.
    function testFuzz_weightsOfEveryBlock(uint256 seed, uint8 steps) external {
        _play(seed, bound(steps, 1, 40));
        for (uint256 at = firstBlock; at < block.number; ++at) {
            uint256[] storage weights = history[at];
            uint256 sum;
            for (uint256 i = 0; i < accounts.length; ++i) {
                uint256 expected = i < weights.length ? weights[i] : 0;
                assertEq(pool.weightAt(versionId, CLASS, accounts[i], at), expected, "weight");
                sum += expected;
            }
            (uint256 stake,) = pool.eligibleStakeAt(versionId, CLASS, at);
            assertEq(stake, sum, "sum");
        }
    }

    /// @notice The members drawn are those whom the reference draws, in its order, from any block's weights.
    function testFuzz_drawsAsTheReferenceDoes(uint256 seed, uint8 steps, uint256 pick, bytes32 dice, uint8 seats)
        external
    {
        _play(seed, bound(steps, 1, 40));
        uint256 at = bound(pick, firstBlock, block.number - 1);
        uint256 count = bound(seats, 1, 6);
        address[] memory expected = _reference(at, dice, count);
        address[] memory actual = draw(at, dice, count);
        assertEq(abi.encode(actual), abi.encode(expected), "members");
        for (uint256 i = 0; i < actual.length; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                assertTrue(actual[i] != actual[j], "nobody twice");
            }
        }
    }

    /// @notice Who cannot sit changes who sits, and never the order of the others.
    function testFuzz_droppingOutMovesNobodyElse(uint256 seed, bytes32 dice, uint256 who) external {
        _play(seed, 20);
        uint256 at = block.number - 1;
        address[] memory before = draw(at, dice, 3);
        if (before.length == 0) return;
        end(before, SeatEnd.FREE);
        address dropout = before[who % 3];
        vm.prank(dropout);
        pool.sleep(versionId, CLASS);
        address[] memory after_ = draw(at, dice, 3);
        if (after_.length == 0) return;
        uint256 next;
        for (uint256 i = 0; i < 3; ++i) {
            if (before[i] == dropout) continue;
            assertEq(after_[next], before[i], "in the same order");
            ++next;
        }
    }

    /// @notice First seats fall in proportion to stake, second ones to what is left of it.
    function test_frequenciesFollowStake() external {
        uint256 at = block.number - 1;
        uint256[3] memory first;
        uint256[3] memory second;
        for (uint256 i = 0; i < SAMPLES; ++i) {
            address[] memory members = draw(at, keccak256(abi.encode("sample", i)), 2);
            ++first[_indexOf(members[0])];
            ++second[_indexOf(members[1])];
            end(members, SeatEnd.FREE);
        }
        // Weights 1, 2, 3 of 6: first 1/6, 2/6, 3/6; second Σ w_i/6 · w_j/(6 - w_i).
        _assertNear(first[0], SAMPLES / 6);
        _assertNear(first[1], SAMPLES / 3);
        _assertNear(first[2], SAMPLES / 2);
        _assertNear(second[0], SAMPLES * 15 / 60);
        _assertNear(second[1], SAMPLES * 22 / 60);
        _assertNear(second[2], SAMPLES * 23 / 60);
    }

    /// @notice One account's stake or the same spread over many: the same chance.
    function test_splittingStakeGainsNothing() external {
        for (uint256 i = 0; i < 6; ++i) {
            enrollAs(addAccount(), 20e6, 3);
        }
        _endBlock();
        uint256 at = block.number - 1;
        uint256 split;
        for (uint256 i = 0; i < SAMPLES; ++i) {
            address[] memory members = draw(at, keccak256(abi.encode("split", i)), 1);
            if (_indexOf(members[0]) >= 3) ++split;
            end(members, SeatEnd.FREE);
        }
        // 6 · 20 of 240.
        _assertNear(split, SAMPLES / 2);
    }

    /// @dev Four standard deviations of the widest count: the dice are fixed, so this holds always or never.
    function _assertNear(uint256 actual, uint256 expected) private pure {
        assertLe(actual, expected + 90, "too often");
        assertGe(actual, expected - 90, "too seldom");
    }

    function _indexOf(address account) private view returns (uint256 index) {
        while (accounts[index] != account) ++index;
    }

    /// @dev The draw by its words: lines of weights, points on them, one after the other.
    function _reference(uint256 at, bytes32 dice, uint256 count) private view returns (address[] memory members) {
        uint256[] memory weights = history[at];
        uint256 left;
        for (uint256 i = 0; i < weights.length; ++i) {
            left += weights[i];
        }
        members = new address[](count);
        uint256 seated;
        for (uint256 place = 0; seated < count; ++place) {
            if (left == 0 || place == 2 * count + 8) return new address[](0);
            uint256 point = uint256(keccak256(abi.encode(dice, place))) % left;
            uint256 index;
            while (point >= weights[index]) {
                point -= weights[index];
                ++index;
            }
            left -= weights[index];
            if (_couldSit(accounts[index], weights[index])) {
                members[seated] = accounts[index];
                ++seated;
            }
            weights[index] = 0;
        }
    }

    function _couldSit(address account, uint256 weight) private view returns (bool) {
        Member memory member = memberOf(account);
        uint256 bonds = member.stake / SEAT_BOND;
        return
            member.isAwake && member.stake >= weight && member.openSeats < member.capacity && member.openSeats < bonds;
    }

    function _play(uint256 seed, uint256 steps) private {
        for (uint256 i = 0; i < steps; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            _step(dice % 8, dice >> 8);
            if (dice >> 250 < 40) _endBlock();
        }
        _endBlock();
    }

    function _step(uint256 action, uint256 dice) private {
        address account = accounts[dice % accounts.length];
        Member memory member = memberOf(account);
        if (action == 0 && accounts.length < MAX_ACCOUNTS) {
            enrollAs(addAccount(), uint88(bound(dice, MIN_STAKE, 500e6)), uint16(1 + dice % 3));
        } else if (action == 1 && member.capacity == 0) {
            enrollAs(account, uint88(bound(dice, MIN_STAKE, 500e6)), uint16(1 + dice % 3));
        } else if (action == 2 && member.capacity != 0) {
            vm.prank(account);
            pool.addStake(versionId, CLASS, uint88(bound(dice, 1, 100e6)));
        } else if (action == 3 && member.capacity != 0 && member.isAwake) {
            vm.prank(account);
            pool.sleep(versionId, CLASS);
        } else if (action == 4 && member.capacity != 0 && !member.isAwake && member.stake >= MIN_STAKE) {
            vm.prank(account);
            pool.wake(versionId, CLASS);
        } else if (action == 5 && member.capacity != 0 && member.openSeats == 0) {
            vm.prank(account);
            pool.unenroll(versionId, CLASS);
        } else if (action >= 6) {
            address[] memory members = draw(block.number - 1, bytes32(dice), 1 + dice % 2);
            end(members, SeatEnd(dice % 3));
        }
    }

    /// @dev Writes down what everybody weighs, by what they have: the reference's only knowledge.
    function _endBlock() private {
        delete history[block.number];
        for (uint256 i = 0; i < accounts.length; ++i) {
            Member memory member = memberOf(accounts[i]);
            history[block.number].push(member.isAwake ? member.stake : 0);
        }
        vm.roll(block.number + 1);
    }
}
