// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../../src/interfaces/IInferenceMarket.sol";
import {IRecordMarket} from "../../../src/interfaces/IRecordMarket.sol";
import {ResultBoard} from "../../../src/results/ResultBoard.sol";
import {BoardResult} from "../../../src/results/ResultTypes.sol";
import {Skyline} from "../../../src/results/Skyline.sol";
import {Request, RequestState} from "../../../src/types/MarketTypes.sol";
import {TrustMode} from "../../../src/types/ModelTypes.sol";
import {Finality, Result} from "../../../src/types/RecordTypes.sol";
import {Base} from "../../Base.t.sol";
import {BoardModel, Topic} from "./BoardModel.sol";

/// @title Publishes at a board whatever anybody asked, in whatever state
/// @notice A request is published exactly if its market says that it is final and nothing hides it.
abstract contract BoardPublisher is Base {
    BoardModel public model;
    mapping(bytes32 => uint256) internal counts;

    function countOf(string memory name) external view returns (uint256) {
        return counts[keccak256(bytes(name))];
    }

    function shownAt() public view returns (ResultBoard) {
        return model.BOARD();
    }

    function _begin(ResultBoard board) internal {
        model = new BoardModel(board);
    }

    /// @param data the call that publishes it.
    /// @param place its version and input, and what a reader says who believes it.
    /// @return id the topic where it stands; zero where it was refused.
    function _publish(TrustMode mode, uint256 requestId, bytes memory data, Topic memory place, string memory name)
        internal
        returns (bytes32 id)
    {
        place.acceptance.modes = uint8(1 << uint8(mode));
        id = topicOf(place, mode);
        (BoardResult memory shown, uint256 order) = _shownOf(mode, requestId);
        bool isFinal = shown.how != Finality.NONE;
        bool may = isFinal && !model.isHidden(id, order, shown.bond);
        (bool success,) = address(shownAt()).call(data);
        assertTrue(success == may, string.concat("B5: published exactly if final and not hidden: ", name));
        _count(success ? name : isFinal ? "refusedHidden" : "refusedUnfinished");
        if (!success) return 0;
        model.note(id, place, shown, order);
    }

    function topicOf(Topic memory place, TrustMode mode) public view returns (bytes32) {
        bytes32 terms;
        if (mode == TrustMode.QUORUM) terms = place.acceptance.runtimeClass;
        if (mode == TrustMode.ATTESTED) {
            terms = shownAt().attestationTerms(place.acceptance.verifier, place.acceptance.policy);
        }
        return shownAt().topicOf(place.versionId, place.binding, mode, terms);
    }

    function _count(string memory name) internal {
        ++counts[keccak256(bytes(name))];
    }

    /// @dev What its market says, whose own invariants say that it is right.
    function _shownOf(TrustMode mode, uint256 requestId)
        private
        view
        returns (BoardResult memory shown, uint256 order)
    {
        (shown.market, shown.requestId, shown.mode) = (shownAt().marketOf(mode), requestId, mode);
        if (mode == TrustMode.ZK) {
            Request memory asked = IInferenceMarket(shown.market).requestOf(requestId);
            if (asked.state != RequestState.PAID) return (shown, 0);
            (shown.how, shown.bond) = (Finality.PROVEN, uint128(Skyline.PROVEN));
            (shown.finalAt, shown.outputDigest) = (uint64(block.timestamp), asked.outputDigest);
            return (shown, asked.paidBlock);
        }
        Result memory result = IRecordMarket(shown.market).resultOf(requestId);
        (shown.how, shown.finalAt, shown.outputDigest) = (result.how, result.finalAt, result.outputDigest);
        shown.bond = result.how == Finality.PROVEN ? uint128(Skyline.PROVEN) : result.bond;
        return (shown, shown.finalAt);
    }
}
