// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Base} from "../Base.t.sol";
import {StakeTreeUser} from "../StakeTreeUser.t.sol";

/// @title The tree against a plain list of weights per block
contract StakeTreeFuzz is Base {
    uint256 internal constant MAX_WEIGHT = type(uint88).max;
    uint256 internal constant FIRST_BLOCK = 100;

    StakeTreeUser internal tree = new StakeTreeUser();
    /// @dev What every position weighed at the end of each block.
    mapping(uint256 blockNumber => uint256[] weights) internal history;
    uint256[] internal present;

    function setUp() public {
        vm.roll(FIRST_BLOCK);
    }

    /// @notice Any order of additions and changes, several to a block or none: every block's weights are remembered.
    function testFuzz_everyBlockIsRemembered(uint256 seed, uint8 steps) external {
        uint256 last = _play(seed, bound(steps, 1, 60));
        for (uint256 at = FIRST_BLOCK - 1; at <= last; ++at) {
            _compareBlock(at);
        }
    }

    /// @notice Every point belongs to the position that covers it, and to no empty one.
    function testFuzz_everyPointIsFound(uint256 seed, uint8 steps, uint256 pick, uint256 point) external {
        uint256 last = _play(seed, bound(steps, 1, 60));
        uint256 at = bound(pick, FIRST_BLOCK, last);
        uint256[] storage weights = history[at];
        uint256 sum = _sum(weights);
        if (sum == 0) return;
        point = bound(point, 0, sum - 1);
        (uint256 position, uint256 start) = tree.find(at, weights.length, point);
        uint256 before;
        for (uint256 i = 1; i < position; ++i) {
            before += weights[i - 1];
        }
        assertEq(start, before, "start");
        assertTrue(point >= start && point < start + weights[position - 1], "covered");
    }

    /// @notice The ends of every position's part, where an error by one would show.
    function testFuzz_theEdgesOfEveryPosition(uint256 seed) external {
        uint256 last = _play(seed, 40);
        uint256[] storage weights = history[last];
        uint256 start;
        for (uint256 i = 0; i < weights.length; ++i) {
            if (weights[i] == 0) continue;
            _assertFound(last, weights.length, start, i + 1, start);
            _assertFound(last, weights.length, start + weights[i] - 1, i + 1, start);
            start += weights[i];
        }
        (uint256 sum,) = tree.wholeAt(last);
        assertEq(start, sum, "the parts make the whole");
    }

    function test_anEmptyTreeWeighsNothing() external view {
        (uint256 sum, uint256 size) = tree.wholeAt(FIRST_BLOCK);
        assertEq(sum + size, 0, "nothing");
        assertEq(tree.weightAt(FIRST_BLOCK, 1), 0, "nobody");
    }

    function test_theGreatestWeightsFit() external {
        for (uint256 i = 0; i < 40; ++i) {
            tree.append(MAX_WEIGHT);
        }
        vm.roll(block.number + 1);
        (uint256 sum, uint256 size) = tree.wholeAt(FIRST_BLOCK);
        assertEq(sum, 40 * MAX_WEIGHT, "sum");
        assertEq(size, 40, "size");
        _assertFound(FIRST_BLOCK, 40, sum - 1, 40, 39 * MAX_WEIGHT);
    }

    function _assertFound(uint256 at, uint256 size, uint256 point, uint256 position, uint256 start) private view {
        (uint256 found, uint256 foundStart) = tree.find(at, size, point);
        assertEq(found, position, "position");
        assertEq(foundStart, start, "start");
    }

    /// @dev Plays random steps.
    /// @return last block that is over.
    function _play(uint256 seed, uint256 steps) private returns (uint256 last) {
        for (uint256 i = 0; i < steps; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            // Weights of all sizes, and zero.
            uint256 weight = (dice >> 64) % (uint256(1) << (dice % 89));
            if (present.length == 0 || dice % 3 == 0) {
                assertEq(tree.append(weight), present.length + 1, "positions count up");
                present.push(weight);
            } else {
                uint256 position = (dice >> 8) % present.length + 1;
                tree.change(position, present[position - 1], weight);
                present[position - 1] = weight;
            }
            if (dice % 5 < 3) _endBlocks(1 + (dice >> 16) % 3);
        }
        _endBlocks(1);
        return block.number - 1;
    }

    function _endBlocks(uint256 count) private {
        for (uint256 i = 0; i < count; ++i) {
            history[block.number] = present;
            vm.roll(block.number + 1);
        }
    }

    function _compareBlock(uint256 at) private view {
        uint256[] storage weights = history[at];
        (uint256 sum, uint256 size) = tree.wholeAt(at);
        assertEq(size, weights.length, "size");
        assertEq(sum, _sum(weights), "sum");
        for (uint256 i = 0; i < present.length; ++i) {
            assertEq(tree.weightAt(at, i + 1), i < weights.length ? weights[i] : 0, "weight");
        }
    }

    function _sum(uint256[] storage weights) private view returns (uint256 sum) {
        for (uint256 i = 0; i < weights.length; ++i) {
            sum += weights[i];
        }
    }
}
