// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest} from "../../src/attested/AttestedTypes.sol";
import {Acceptance, BoardResult} from "../../src/results/ResultTypes.sol";
import {LazyRequest} from "../../src/types/LazyTypes.sol";
import {BoardNetwork} from "../BoardNetwork.t.sol";

/// @title The board against a list of all that was published
/// @notice Real requests of several modes become final, in their order; they are published in another.
contract ResultBoardFuzz is BoardNetwork {
    struct Noted {
        uint8 mode;
        uint256 requestId;
        uint256 finalAt;
        uint256 bond;
    }

    uint256 private constant RESULTS = 6;

    Noted[] private noted;

    /// @param kinds which mode each result is of: two of three are lazy.
    /// @param bonds collateral of the lazy ones; few values, so that equal ones meet.
    /// @param order where in the order of publication each comes.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_latestIsTheNewestThatIsBelieved(
        uint8[6] calldata kinds,
        uint8[6] calldata bonds,
        uint8[6] calldata order
    ) external {
        bytes[RESULTS] memory made;
        for (uint256 i = 0; i < RESULTS; ++i) {
            vm.warp(block.timestamp + 1);
            made[i] = kinds[i] % 3 == 0
                ? abi.encode(attestedResult(truth()))
                : abi.encode(lazyResult(FLOOR + uint128(bonds[i] % 4) * 1e6));
            _note(kinds[i] % 3 == 0, made[i]);
        }
        for (uint256 turn = 0; turn < RESULTS; ++turn) {
            uint256 place = _nextOf(order, turn);
            _publish(noted[place].mode, made[place]);
            published[place] = true;
            _compare(LAZY);
            _compare(ATTESTED);
            _compare(LAZY | ATTESTED);
        }
    }

    mapping(uint256 place => bool) private published;

    function _note(bool isAttested, bytes memory request) private {
        if (isAttested) {
            AttestedRequest memory asked = abi.decode(request, (AttestedRequest));
            noted.push(Noted(ATTESTED, attested.idOf(asked), block.timestamp, 0));
        } else {
            LazyRequest memory asked = abi.decode(request, (LazyRequest));
            noted.push(Noted(LAZY, lazy.idOf(asked), block.timestamp, asked.collateral));
        }
    }

    /// @dev One that is hidden already is refused; it would change nothing.
    function _publish(uint8 mode, bytes memory request) private {
        if (mode == ATTESTED) {
            try board.publishAttested(abi.decode(request, (AttestedRequest))) {} catch {}
        } else {
            try board.publishLazy(abi.decode(request, (LazyRequest))) {} catch {}
        }
    }

    /// @dev For every bond that was put up, and for one more than that.
    function _compare(uint8 modes) private view {
        for (uint256 i = 0; i < RESULTS; ++i) {
            for (uint128 more = 0; more < 2; ++more) {
                uint128 minBond = uint128(noted[i].bond) + more;
                Acceptance memory believed = acceptance(modes);
                believed.minBond = minBond;
                BoardResult memory shown = board.latestUnder(everyMode, binding(), believed);
                (bool isThere, Noted memory expected) = _newest(modes, minBond);
                assertEq(shown.requestId, isThere ? expected.requestId : 0, "the newest that is believed");
                if (isThere) assertEq(shown.finalAt, expected.finalAt, "when");
            }
        }
    }

    function _newest(uint8 modes, uint256 minBond) private view returns (bool isThere, Noted memory best) {
        for (uint256 i = 0; i < RESULTS; ++i) {
            Noted memory one = noted[i];
            if (!published[i] || one.mode & modes == 0 || one.bond < minBond) continue;
            if (!isThere || one.finalAt > best.finalAt) (best, isThere) = (one, true);
        }
    }

    /// @dev A permutation: the unpublished place at which the dice of this turn come to rest.
    function _nextOf(uint8[6] calldata order, uint256 turn) private view returns (uint256 place) {
        place = order[turn] % RESULTS;
        while (published[place]) {
            place = (place + 1) % RESULTS;
        }
    }
}
