// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {InputBinding, Version} from "../types/ModelTypes.sol";
import {MarketAccounts} from "./MarketAccounts.sol";
import {MarketRecords} from "./MarketRecords.sol";

/// @title Which versions a market serves
/// @notice Nobody escrows for a version that could not answer. Everything that decides is fixed for good (a version
/// never changes, a stored key stays), so it is looked up once and kept in one word.
abstract contract MarketVersions is MarketAccounts, MarketRecords {
    /// @dev What requests need to know of a version.
    struct Terms {
        bool known;
        InputBinding binding;
        uint16 royaltyBps;
        uint32 proofSeconds;
    }

    mapping(uint64 versionId => Terms) private _terms;

    /// @dev Terms of a version that this market serves; reverts for any other.
    function _termsOf(uint64 versionId) internal returns (Terms memory terms) {
        terms = _terms[versionId];
        if (terms.known) return terms;
        Version memory pinned = REGISTRY.version(versionId);
        // Check: the version allows the mode, and can answer in it.
        if (pinned.modes & (1 << uint8(MODE)) == 0) revert RecordMarket_ModeNotAllowed(versionId, MODE);
        _checkVersion(versionId, pinned);
        // Effect
        terms = Terms({
            known: true, binding: pinned.binding, royaltyBps: pinned.royaltyBps, proofSeconds: pinned.proofSeconds
        });
        _terms[versionId] = terms;
    }

    /// @dev What else a market asks of versions that allow its mode, once for each. Must rest on nothing that can
    /// change.
    function _checkVersion(uint64 versionId, Version memory pinned) internal view virtual;
}
