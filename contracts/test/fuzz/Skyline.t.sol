// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Skyline} from "../../src/results/Skyline.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {Finality} from "../../src/types/RecordTypes.sol";
import {Base} from "../Base.t.sol";

/// @title The skyline against the plainest reading of its rule
/// @notice The reference keeps everything that was ever added and looks at all of it each time.
contract SkylineFuzz is Base {
    using Skyline for Skyline.Row;

    struct Noted {
        uint40 order;
        uint88 bond;
        uint32 index;
    }

    /// @dev Most results that a run adds: fewer than the bound on late ones, which has a test of its own.
    uint256 private constant MOST = 24;

    Skyline.Row private row;
    Noted[] private noted;

    /// @dev Few orders and bonds, so that equal ones meet often.
    function testFuzz_showsWhatTheRuleSays(uint8[24] calldata orders, uint8[24] calldata bonds) external {
        for (uint256 i = 0; i < MOST; ++i) {
            _add(orders[i] % 12, bonds[i] % 12);
            _assertEqual();
        }
    }

    function testFuzz_inTheirOrder(uint88[24] calldata bonds) external {
        for (uint256 i = 0; i < MOST; ++i) {
            _add(uint40(i), bonds[i]);
        }
        _assertEqual();
    }

    /// @notice Whatever is added, the row stays one: orders rise along it and bonds fall.
    function testFuzz_theRowIsOrdered(uint16[24] calldata orders, uint16[24] calldata bonds) external {
        for (uint256 i = 0; i < MOST; ++i) {
            _add(orders[i], bonds[i]);
        }
        for (uint256 i = 1; i < row.length; ++i) {
            vm.assertLt(row.stands[i - 1].order, row.stands[i].order, "orders rise");
            vm.assertLt(row.stands[i].bond, row.stands[i - 1].bond, "bonds fall");
        }
    }

    /// @notice A result is never hidden by what has less bond, however much of it there is: neither what came before
    /// nor what comes after, in whatever order.
    function testFuzz_nothingCheaperHides(
        uint40[24] calldata orders,
        uint88[24] calldata bonds,
        uint40 order,
        uint88 bond
    ) external {
        vm.assume(bond != 0);
        for (uint256 i = 0; i < 12; ++i) {
            _add(orders[i], uint88(uint256(bonds[i]) % bond));
        }
        _add(order, bond);
        for (uint256 i = 12; i < MOST; ++i) {
            _add(orders[i], uint88(uint256(bonds[i]) % bond));
        }
        (bool isThere, Skyline.Stand memory stand) = row.newest(bond);
        assertTrue(isThere, "there");
        assertEq(stand.index, _indexOf(order, bond), "it");
    }

    /// @notice One that is added late with the highest bond stands, however many newer ones there are; of those, the
    /// newest stay, and the work is bounded.
    function test_lateBehindMany() external {
        uint256 many = 3 * Skyline.MOST_NEWER;
        for (uint256 i = 0; i < many; ++i) {
            _add(uint40(100 + i), uint88(1000 - i));
        }
        assertEq(row.length, many, "all stand");
        _add(50, 2000);
        assertEq(row.length, 1 + Skyline.MOST_NEWER, "it and the newest");
        (, Skyline.Stand memory stand) = row.newest(1500);
        assertEq(stand.order, 50, "it");
        for (uint256 i = 0; i < Skyline.MOST_NEWER; ++i) {
            assertEq(row.stands[row.length - 1 - i].order, 100 + many - 1 - i, "the newest, in their order");
        }
        // Between two of those that stay it takes its place and drops none of them.
        _add(uint40(100 + many - 1), uint88(1000 - many + 2));
        (, stand) = row.newest(1000 - many + 2);
        assertEq(stand.order, 100 + many - 1, "as new as the newest, with more bond");
        assertEq(row.length, Skyline.MOST_NEWER, "it replaced what has no more bond and is no newer");
    }

    function test_exactlyAsManyNewerOnesAsStay() external {
        for (uint256 i = 0; i < Skyline.MOST_NEWER; ++i) {
            _add(uint40(100 + i), uint88(1000 - i));
        }
        _add(50, 2000);
        assertEq(row.length, 1 + Skyline.MOST_NEWER, "all stay");
        assertEq(row.stands[1].order, 100, "also the oldest of them");
    }

    function test_anEmptyRowShowsNothing() external view {
        (bool isThere,) = row.newest(0);
        assertFalse(isThere, "nothing");
    }

    function test_zeroIsABond() external {
        _add(1, 0);
        (bool isThere, Skyline.Stand memory stand) = row.newest(0);
        assertTrue(isThere && stand.order == 1, "there");
        (isThere,) = row.newest(1);
        assertFalse(isThere, "not with a bond");
    }

    function _add(uint40 order, uint88 bond) private {
        bool expected = !_isHidden(order, bond, noted.length);
        (bool isAdded, uint32 index) = row.add(
            Skyline.Stand({
                index: 0, order: order, finalAt: order, bond: bond, mode: TrustMode.LAZY_ZK, how: Finality.UNCHALLENGED
            })
        );
        assertTrue(isAdded == expected, "added exactly where nothing hides it");
        if (!isAdded) return;
        assertEq(index, noted.length, "numbered");
        noted.push(Noted(order, bond, index));
    }

    /// @dev Whether one of the first `count` is as new or newer and has at least the bond.
    function _isHidden(uint40 order, uint88 bond, uint256 count) private view returns (bool) {
        for (uint256 i = 0; i < count; ++i) {
            if (noted[i].order >= order && noted[i].bond >= bond) return true;
        }
        return false;
    }

    /// @dev For every bond that matters: the newest of all that have it; of equals, the one with the higher bond.
    function _assertEqual() private view {
        for (uint256 i = 0; i <= noted.length; ++i) {
            uint256 minBond = i == noted.length ? 0 : noted[i].bond;
            (bool isThere, Skyline.Stand memory stand) = row.newest(minBond);
            (bool isExpected, uint32 index) = _newest(minBond);
            assertTrue(isThere == isExpected, "there");
            if (isThere) assertEq(stand.index, index, "the newest with the bond");
        }
    }

    function _newest(uint256 minBond) private view returns (bool isThere, uint32 index) {
        Noted memory best;
        for (uint256 i = 0; i < noted.length; ++i) {
            Noted memory one = noted[i];
            if (one.bond < minBond) continue;
            bool isBetter = !isThere || one.order > best.order || (one.order == best.order && one.bond > best.bond);
            if (isBetter) (best, isThere) = (one, true);
        }
        return (isThere, best.index);
    }

    function _indexOf(uint40 order, uint88 bond) private view returns (uint32) {
        for (uint256 i = 0; i < noted.length; ++i) {
            if (noted[i].order == order && noted[i].bond == bond) return noted[i].index;
        }
        revert("never added");
    }
}
