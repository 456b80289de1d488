// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRecordMarket} from "../interfaces/IRecordMarket.sol";
import {Records} from "../libraries/Records.sol";
import {TrustMode} from "../types/ModelTypes.sol";
import {Finality, Result} from "../types/RecordTypes.sol";

/// @title What a market keeps of its requests
/// @notice Two words, of which the second is written once, when the output becomes final. A final record never changes.
abstract contract MarketRecords is IRecordMarket {
    /// @dev See `Records`.
    struct Entry {
        uint256 record;
        uint256 result;
    }

    /// @inheritdoc IRecordMarket
    TrustMode public immutable MODE;

    mapping(uint256 requestId => Entry) private _entries;

    constructor(TrustMode mode) {
        MODE = mode;
    }

    /// @inheritdoc IRecordMarket
    function resultOf(uint256 requestId) external view returns (Result memory result) {
        Entry storage entry = _entries[requestId];
        // The second word is there where the output is final and kept; no result is zero.
        if (entry.result != 0) return Records.unpackResult(entry.record, entry.result);
    }

    /// @inheritdoc IRecordMarket
    function recordOf(uint256 requestId) external view returns (uint256) {
        return _entries[requestId].record;
    }

    function _setRecord(uint256 requestId, uint8 state, bytes32 details) internal {
        _entries[requestId].record = Records.pack(state, details);
    }

    /// @dev Makes the output final, for good, as of now. The caller has checked that it is.
    function _finish(uint256 requestId, uint64 versionId, bytes32 outputDigest, Finality how, uint128 bond) internal {
        _finishAsOf(uint64(block.timestamp), requestId, versionId, outputDigest, how, bond);
    }

    /// @dev The same as of `finalAt`, at most now. Where an output can be final long before somebody says so, that is
    /// when it could first: else who waits with what nobody can doubt any more had the newest result when he likes.
    function _finishAsOf(
        uint64 finalAt,
        uint256 requestId,
        uint64 versionId,
        bytes32 outputDigest,
        Finality how,
        uint128 bond
    ) internal {
        Entry storage entry = _entries[requestId];
        entry.record = Records.pack(Records.FINAL, outputDigest);
        entry.result = Records.packResult(
            Result({
                versionId: versionId, mode: MODE, how: how, finalAt: finalAt, bond: bond, outputDigest: outputDigest
            })
        );
    }

    /// @dev Whether both words are there.
    function _isKept(uint256 requestId) internal view returns (bool) {
        return _entries[requestId].result != 0;
    }

    /// @dev That the request is in this state, with these details.
    function _requireRecord(uint256 requestId, uint8 state, bytes32 details) internal view {
        uint256 record = _entries[requestId].record;
        if (record != Records.pack(state, details)) {
            revert RecordMarket_OtherRecord(requestId, Records.stateOf(record), state);
        }
    }

    function _isRecord(uint256 requestId, uint8 state, bytes32 details) internal view returns (bool) {
        return _entries[requestId].record == Records.pack(state, details);
    }

    function _stateOf(uint256 requestId) internal view returns (uint8) {
        return Records.stateOf(_entries[requestId].record);
    }
}
