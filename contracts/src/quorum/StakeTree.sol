// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

/// @title Weights by position, summed, as they were at any block
/// @notice A Fenwick tree whose nodes keep their history. Positions are numbered from 1 and only ever added; a weight
/// may change to anything at any time, also to zero. Every read is of the weights at the end of a block that is over,
/// and takes a number of steps that grows with the logarithm of the positions.
/// @dev Node `i` holds the sum of the positions from `i - lowbit(i) + 1` to `i`. Adding a position reads nodes and
/// writes one; changing one writes a node for each bit that is zero above its lowest set bit. Sums stay below 2^176: a
/// weight is below 2^96, and there are less than 2^32 positions.
library StakeTree {
    using Checkpoints for Checkpoints.Trace208;

    /// @param nodes history of each node by block.
    /// @param whole history of the sum of all weights, shifted by 32 bits, and the number of positions.
    struct Tree {
        mapping(uint256 node => Checkpoints.Trace208) nodes;
        Checkpoints.Trace208 whole;
    }

    /// @dev Bits of the number of positions in `Tree.whole`.
    uint256 private constant SIZE_BITS = 32;

    /// @notice Adds a position at the end, from the present block on.
    function append(Tree storage tree, uint256 weight) internal returns (uint256 position) {
        (uint256 sum, uint256 size) = _unpack(tree.whole.latest());
        position = size + 1;
        // The node covers positions that are there already: their sums, and the new weight.
        uint256 covered = weight;
        uint256 from = position - _lowBit(position);
        for (uint256 node = size; node > from; node -= _lowBit(node)) {
            covered += tree.nodes[node].latest();
        }
        _push(tree.nodes[position], covered);
        _push(tree.whole, _pack(sum + weight, position));
    }

    /// @notice Replaces the weight of a position, from the present block on. The caller knows what it was.
    function change(Tree storage tree, uint256 position, uint256 before, uint256 weight) internal {
        if (before == weight) return;
        (uint256 sum, uint256 size) = _unpack(tree.whole.latest());
        for (uint256 node = position; node <= size; node += _lowBit(node)) {
            _push(tree.nodes[node], tree.nodes[node].latest() + weight - before);
        }
        _push(tree.whole, _pack(sum + weight - before, size));
    }

    /// @notice Sum of all weights and number of positions at the end of a block.
    function wholeAt(Tree storage tree, uint256 blockNumber) internal view returns (uint256 sum, uint256 size) {
        return _unpack(_at(tree.whole, blockNumber));
    }

    /// @notice Weight of a position at the end of a block.
    function weightAt(Tree storage tree, uint256 blockNumber, uint256 position) internal view returns (uint256 weight) {
        weight = _at(tree.nodes[position], blockNumber);
        // Zero where the position was not there yet, and then so is everything that it covers, or it is summed up in
        // other nodes.
        if (weight == 0) return 0;
        uint256 from = position - _lowBit(position);
        for (uint256 node = position - 1; node > from; node -= _lowBit(node)) {
            weight -= _at(tree.nodes[node], blockNumber);
        }
    }

    /// @notice The position whose weight covers a point, where the weights at the end of a block lie one after the
    /// other.
    /// @param size number of positions at that block.
    /// @param point below the sum at that block.
    /// @return position the one found; its weight is not zero.
    /// @return start sum of the weights before it.
    function find(Tree storage tree, uint256 blockNumber, uint256 size, uint256 point)
        internal
        view
        returns (uint256 position, uint256 start)
    {
        uint256 step = 1;
        while (step << 1 <= size) step <<= 1;
        for (; step != 0; step >>= 1) {
            uint256 node = position + step;
            if (node > size) continue;
            uint256 covered = _at(tree.nodes[node], blockNumber);
            if (start + covered > point) continue;
            position = node;
            start += covered;
        }
        ++position;
    }

    /// @dev The newest checkpoint is the one that is asked for most: a draw looks back a few blocks.
    function _at(Checkpoints.Trace208 storage trace, uint256 blockNumber) private view returns (uint256) {
        (bool exists, uint48 key, uint208 value) = trace.latestCheckpoint();
        if (!exists) return 0;
        return key <= blockNumber ? value : trace.upperLookupRecent(uint48(blockNumber));
    }

    /// @dev Block numbers stay below 2^48 for two million years at four a second.
    function _push(Checkpoints.Trace208 storage trace, uint256 value) private {
        trace.push(uint48(block.number), uint208(value));
    }

    function _pack(uint256 sum, uint256 size) private pure returns (uint256) {
        return sum << SIZE_BITS | size;
    }

    function _unpack(uint256 packed) private pure returns (uint256 sum, uint256 size) {
        return (packed >> SIZE_BITS, packed & ((1 << SIZE_BITS) - 1));
    }

    function _lowBit(uint256 value) private pure returns (uint256) {
        return value & (~value + 1);
    }
}
