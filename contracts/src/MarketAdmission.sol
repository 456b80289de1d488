// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MarketRequests} from "./MarketRequests.sol";
import {StoredRequest, StoredRequests} from "./libraries/StoredRequests.sol";
import {RequestParams} from "./types/MarketTypes.sol";
import {InputBinding, TrustMode, Version} from "./types/ModelTypes.sol";

/// @title Which versions and inputs a request may name
/// @notice Nobody escrows for a version that could not answer. `InferenceMarket`, which extends this, opens requests.
abstract contract MarketAdmission is MarketRequests {
    using StoredRequests for StoredRequest;

    /// @dev What requests need to know of a version that can answer. Everything that decides is fixed for good (a
    /// version never changes, a stored key stays), so it is looked up once.
    struct Admitted {
        bool known;
        uint8 modes;
        InputBinding binding;
        uint16 royaltyBps;
    }

    uint256 private constant MAX_HINT_LENGTH = 256;

    mapping(uint64 versionId => Admitted) private _admitted;

    /// @dev Opens a request; the caller has checked its bounds, its input, and that `requester` asks for it.
    function _open(
        uint256 requestId,
        address requester,
        RequestParams calldata params,
        bytes calldata input,
        string calldata inputHint
    ) internal {
        // Check
        uint16 royaltyBps = _checkVersion(params);
        // Effect: escrow, which exists as the price of an unfinished request.
        _debit(requester, params.maxPrice);
        _requests[requestId].open(params, requester, royaltyBps);
        emit RequestCreated(requestId, params.versionId, requester, params, input, inputHint);
    }

    /// @return royaltyBps the version's royalty.
    function _checkVersion(RequestParams calldata params) private returns (uint16 royaltyBps) {
        Admitted memory admitted = _admitted[params.versionId];
        if (!admitted.known) admitted = _admit(params.versionId);
        // Check: allowed by the version, and served by this market.
        uint8 mode = uint8(params.mode);
        if (admitted.modes & (1 << mode) == 0) revert InferenceMarket_ModeNotAllowed(params.versionId, mode);
        if (params.mode != TrustMode.ZK) revert InferenceMarket_ModeNotSupported(mode);
        // Check: packed inputs are bound by their own digest.
        if (admitted.binding == InputBinding.PACKED && params.inputBinding != params.inputDigest) {
            revert InferenceMarket_InputBindingMismatch(params.inputBinding, params.inputDigest);
        }
        return admitted.royaltyBps;
    }

    function _checkInput(RequestParams calldata params, bytes calldata input, string calldata inputHint) internal view {
        // Check: bounded, and the bytes are the ones that the digest names.
        if (input.length > MAX_INPUT_LENGTH) revert InferenceMarket_InputTooLong(input.length, MAX_INPUT_LENGTH);
        if (bytes(inputHint).length > MAX_HINT_LENGTH) {
            revert InferenceMarket_HintTooLong(bytes(inputHint).length, MAX_HINT_LENGTH);
        }
        if (params.inputDigest == 0) revert InferenceMarket_ZeroInputDigest();
        if (input.length != 0 && keccak256(input) != params.inputDigest) {
            revert InferenceMarket_InputDigestMismatch(keccak256(input), params.inputDigest);
        }
    }

    function _admit(uint64 versionId) private returns (Admitted memory admitted) {
        Version memory pinned = REGISTRY.version(versionId);
        // Check: a request is one row.
        (bytes32 vkaDigest, bool stored) = ZK_VERIFIER.rowKey(versionId);
        if (vkaDigest == 0) revert InferenceMarket_NoUsableCircuit(versionId);
        if (!stored) revert InferenceMarket_VkaNotRegistered(vkaDigest);
        // Effect
        admitted = Admitted({known: true, modes: pinned.modes, binding: pinned.binding, royaltyBps: pinned.royaltyBps});
        _admitted[versionId] = admitted;
    }
}
