// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {StakeTree} from "../src/quorum/StakeTree.sol";

/// @title A tree that anybody may change, for tests
contract StakeTreeUser {
    using StakeTree for StakeTree.Tree;

    StakeTree.Tree private _tree;

    function append(uint256 weight) external returns (uint256 position) {
        return _tree.append(weight);
    }

    function change(uint256 position, uint256 before, uint256 weight) external {
        _tree.change(position, before, weight);
    }

    function wholeAt(uint256 blockNumber) external view returns (uint256 sum, uint256 size) {
        return _tree.wholeAt(blockNumber);
    }

    function weightAt(uint256 blockNumber, uint256 position) external view returns (uint256) {
        return _tree.weightAt(blockNumber, position);
    }

    function find(uint256 blockNumber, uint256 size, uint256 point)
        external
        view
        returns (uint256 position, uint256 start)
    {
        return _tree.find(blockNumber, size, point);
    }
}
