// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../../src/interfaces/IInferenceMarket.sol";
import {IRecordMarket} from "../../../src/interfaces/IRecordMarket.sol";
import {ResultBoard} from "../../../src/results/ResultBoard.sol";
import {Acceptance, BoardResult} from "../../../src/results/ResultTypes.sol";
import {Skyline} from "../../../src/results/Skyline.sol";
import {Request, RequestState} from "../../../src/types/MarketTypes.sol";
import {TrustMode} from "../../../src/types/ModelTypes.sol";
import {Finality, Result} from "../../../src/types/RecordTypes.sol";
import {Base} from "../../Base.t.sol";

/// @notice Where results of one kind are shown, and what a reader who believes them says.
struct Topic {
    uint64 versionId;
    bytes32 binding;
    Acceptance acceptance;
}

/// @title The plainest reading of what a board shows
/// @notice It keeps all that was ever published, looks at all of it each time, and compares the board with that.
contract BoardModel is Base {
    /// @param order by which results of a topic are newer or older: seconds, or blocks for mode `ZK`.
    /// @param isPushedOut by one that came late with more bond.
    struct Noted {
        BoardResult shown;
        uint256 order;
        bool isPushedOut;
    }

    uint256 internal constant MODES = 4;

    ResultBoard public immutable BOARD;

    bytes32[] public topics;
    mapping(bytes32 id => Topic) internal places;
    mapping(bytes32 id => Noted[]) internal noted;
    uint256 public pushedOut;
    uint256 public hidden;

    constructor(ResultBoard board) {
        BOARD = board;
    }

    function topicCount() external view returns (uint256) {
        return topics.length;
    }

    /// @notice Whether a result would be refused: one that is as new or newer has at least its bond.
    function isHidden(bytes32 id, uint256 order, uint256 bond) external view returns (bool) {
        return _isHidden(id, order, bond, type(uint256).max);
    }

    /// @notice Enters what was published. Of those that are newer, the newest 32 stay where they were.
    function note(bytes32 id, Topic calldata place, BoardResult calldata shown, uint256 order) external {
        if (noted[id].length == 0) {
            topics.push(id);
            places[id] = place;
        }
        for (uint256 i = 0; i < noted[id].length; ++i) {
            Noted storage one = noted[id][i];
            if (one.order <= order && one.shown.bond <= shown.bond) ++hidden;
        }
        if (noted[id].length > Skyline.MOST_NEWER) _pushOut(id, order);
        noted[id].push(Noted(shown, order, false));
    }

    function _pushOut(bytes32 id, uint256 order) private {
        uint256[] memory before = _standing(id);
        for (uint256 i = Skyline.MOST_NEWER; i < before.length; ++i) {
            Noted storage one = noted[id][before[i]];
            if (one.order <= order) break;
            one.isPushedOut = true;
            ++pushedOut;
        }
        // What was hidden by one that is pushed out does not come back with it.
        uint256[] memory now_ = _standing(id);
        for (uint256 i = 0; i < now_.length; ++i) {
            bool isThere;
            for (uint256 j = 0; j < before.length; ++j) {
                if (before[j] == now_[i]) isThere = true;
            }
            if (!isThere) noted[id][now_[i]].isPushedOut = true;
        }
    }

    /// @notice Everything that the board shows, against everything that was published.
    function check() external view {
        for (uint256 i = 0; i < topics.length; ++i) {
            checkTopic(topics[i]);
        }
    }

    /// @notice The same of one topic: what others show does not depend on it.
    function checkTopic(bytes32 id) public view {
        _checkStanding(id);
        _checkHistory(id);
        _checkBonds(id);
    }

    /// @notice What a reader of several modes finds: the newest of the newest of each, of equals the best bonded.
    /// @param ids topics of this version and input, in the order of their modes.
    function checkReader(uint64 versionId, bytes32 binding, bytes32[] calldata ids, Acceptance calldata acceptance)
        external
        view
    {
        BoardResult memory best;
        bool isThere;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (acceptance.modes & (1 << i) == 0) continue;
            (bool isOne, BoardResult memory one) = _newest(ids[i], acceptance.minBond);
            if (!isOne) continue;
            bool isBetter = one.finalAt > best.finalAt || one.finalAt == best.finalAt && one.bond > best.bond;
            if (!isThere || isBetter) (best, isThere) = (one, true);
        }
        BoardResult memory shown = BOARD.latestUnder(versionId, binding, acceptance);
        assertEq(abi.encode(shown), abi.encode(best), "B1: over all modes");
    }

    /// @dev B2, B3: what stands is what nothing hides, from the newest, and was final in its market.
    function _checkStanding(bytes32 id) private view {
        uint256[] memory expected = _standing(id);
        BoardResult[] memory shown = BOARD.standing(id, 0, expected.length + 1);
        assertEq(shown.length, expected.length, "B3: as many as nothing hides");
        (uint256 published, uint256 standing) = BOARD.countsOf(id);
        assertEq(standing, expected.length, "B3: counted");
        assertEq(published, noted[id].length, "B4: counted");
        for (uint256 i = 0; i < shown.length; ++i) {
            Noted storage one = noted[id][expected[i]];
            assertEq(abi.encode(shown[i]), abi.encode(one.shown), "B3: what nothing hides stands as it was");
            if (i != 0) assertGe(shown[i].bond, shown[i - 1].bond + 1, "B3: what is older has more bond");
            _checkFinal(shown[i]);
        }
    }

    /// @dev B2
    function _checkFinal(BoardResult memory shown) private view {
        if (shown.mode == TrustMode.ZK) {
            Request memory asked = IInferenceMarket(shown.market).requestOf(shown.requestId);
            assertTrue(asked.state == RequestState.PAID, "B2: paid in its market");
            assertEq(asked.outputDigest, shown.outputDigest, "B2: for this output");
            return;
        }
        Result memory result = IRecordMarket(shown.market).resultOf(shown.requestId);
        assertTrue(result.how != Finality.NONE && result.how == shown.how, "B2: final in its market");
        assertEq(result.outputDigest, shown.outputDigest, "B2: this output");
        assertEq(result.finalAt, shown.finalAt, "B2: since then");
        if (result.how != Finality.PROVEN) assertEq(result.bond, shown.bond, "B2: with this bond");
        else assertEq(shown.bond, Skyline.PROVEN, "B2: proven");
    }

    /// @dev B4: nothing that was published is ever changed.
    function _checkHistory(bytes32 id) private view {
        uint256 count = noted[id].length;
        (uint256[] memory ids, bytes32[] memory digests) = BOARD.history(id, 0, count + 1);
        assertEq(ids.length, count, "B4: all of it");
        for (uint256 i = 0; i < count; ++i) {
            assertEq(ids[i], noted[id][i].shown.requestId, "B4: in its order");
            assertEq(digests[i], noted[id][i].shown.outputDigest, "B4: as it was");
        }
    }

    /// @dev B1: for every bond that somebody put up, and for one more.
    function _checkBonds(bytes32 id) private view {
        Topic memory place = places[id];
        for (uint256 i = 0; i < 2 * noted[id].length; ++i) {
            uint256 bond = noted[id][i / 2].shown.bond;
            if (bond != Skyline.PROVEN) bond += i % 2;
            place.acceptance.minBond = uint128(bond);
            BoardResult memory shown = BOARD.latestUnder(place.versionId, place.binding, place.acceptance);
            (, BoardResult memory best) = _newest(id, bond);
            assertEq(abi.encode(shown), abi.encode(best), "B1: the newest that has the bond");
        }
    }

    /// @dev Of all that was published and not pushed out; of equals, the one with the higher bond.
    function _newest(bytes32 id, uint256 minBond) private view returns (bool isThere, BoardResult memory best) {
        uint256 order;
        for (uint256 i = 0; i < noted[id].length; ++i) {
            Noted storage one = noted[id][i];
            if (one.isPushedOut || one.shown.bond < minBond) continue;
            bool isBetter = one.order > order || one.order == order && one.shown.bond > best.bond;
            if (!isThere || isBetter) (isThere, best, order) = (true, one.shown, one.order);
        }
    }

    function _isHidden(bytes32 id, uint256 order, uint256 bond, uint256 self) private view returns (bool) {
        for (uint256 i = 0; i < noted[id].length; ++i) {
            Noted storage one = noted[id][i];
            if (i != self && !one.isPushedOut && one.order >= order && one.shown.bond >= bond) return true;
        }
        return false;
    }

    /// @dev Numbers of those that nothing hides, from the newest.
    function _standing(bytes32 id) private view returns (uint256[] memory list) {
        uint256 count = noted[id].length;
        uint256[] memory all = new uint256[](count);
        uint256 found;
        for (uint256 i = 0; i < count; ++i) {
            Noted storage one = noted[id][i];
            if (one.isPushedOut || _isHidden(id, one.order, one.shown.bond, i)) continue;
            uint256 at = found++;
            for (; at != 0 && noted[id][all[at - 1]].order < one.order; --at) {
                all[at] = all[at - 1];
            }
            all[at] = i;
        }
        list = new uint256[](found);
        for (uint256 i = 0; i < found; ++i) {
            list[i] = all[i];
        }
    }
}
