// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Skyline} from "../../src/results/Skyline.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {Finality} from "../../src/types/RecordTypes.sol";
import {Base} from "../Base.t.sol";

/// @notice An older result with a little more bond is kept back until enough cheap ones stand after a newer,
/// well-bonded one, and pushes it out. What remains of that: whoever notices publishes it again.
contract BoardPushedOutAttack is Base {
    using Skyline for Skyline.Row;

    uint88 private constant BOND = 5000;
    uint256 private constant OLDER = 50;
    uint256 private constant GOOD = 100;

    Skyline.Row private row;

    function test_attack_withAsManyAsAreKept() external {
        _add(GOOD, BOND);
        _addCheap(Skyline.MOST_NEWER);
        _add(OLDER, BOND + 1);
        assertEq(_newest(), OLDER, "an older one stands for it");
        _add(GOOD, BOND);
        assertEq(_newest(), GOOD, "published again, it is back");
        (, Skyline.Stand memory stand) = row.newest(BOND + 1);
        assertEq(stand.order, OLDER, "and the older one stands behind it");
    }

    /// @dev Cheap ones alone, or one less than that, push nothing out.
    function test_attack_withOneLess() external {
        _add(GOOD, BOND);
        _addCheap(Skyline.MOST_NEWER - 1);
        _add(OLDER, BOND + 1);
        assertEq(_newest(), GOOD, "still there");
    }

    function test_attack_withCheapOnesAlone() external {
        _add(GOOD, BOND);
        _addCheap(2 * Skyline.MOST_NEWER);
        assertEq(_newest(), GOOD, "still there");
    }

    /// @dev One that stands cannot be published again to push others out.
    function test_attack_theSameOnceMore() external {
        _add(GOOD, BOND);
        _addCheap(Skyline.MOST_NEWER);
        (bool isAdded,) = row.add(_stand(GOOD, BOND));
        assertFalse(isAdded, "it stands");
    }

    /// @dev Newer ones, each with less bond than the one before.
    function _addCheap(uint256 count) private {
        for (uint256 i = 1; i <= count; ++i) {
            _add(GOOD + i, uint88(BOND / 2 - i));
        }
    }

    function _add(uint256 order, uint88 bond) private {
        (bool isAdded,) = row.add(_stand(order, bond));
        assertTrue(isAdded, "added");
    }

    function _newest() private view returns (uint256) {
        (bool isThere, Skyline.Stand memory stand) = row.newest(BOND);
        assertTrue(isThere, "something has that bond");
        return stand.order;
    }

    function _stand(uint256 order, uint88 bond) private pure returns (Skyline.Stand memory) {
        return Skyline.Stand(0, uint40(order), uint40(order), bond, TrustMode.LAZY_ZK, Finality.UNCHALLENGED);
    }
}
