// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MarketRequests} from "./MarketRequests.sol";
import {MarketSigned} from "./MarketSigned.sol";
import {IInferenceMarket} from "./interfaces/IInferenceMarket.sol";
import {RequestFlags} from "./libraries/RequestFlags.sol";
import {StoredRequest, StoredRequests} from "./libraries/StoredRequests.sol";
import {Limits, Permit, RequestParams, RequestState} from "./types/MarketTypes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Market of verified inferences
/// @notice A request goes OPEN -> LOCKED -> PAID, or from OPEN or LOCKED to REFUNDED; a lock that was missed may become
/// another's. The most that a request may cost leaves the requester's balance when it is made. What the lock's price
/// leaves of that returns at once; the price reaches balances and royalties once, when the request leaves the open
/// states.
contract InferenceMarket is MarketSigned {
    constructor(
        address token_,
        address registry_,
        address zkVerifier_,
        address staking_,
        address signatureValidator_,
        Limits memory limits
    ) MarketRequests(token_, registry_, zkVerifier_, staking_, limits) MarketSigned(signatureValidator_) {}

    // --- a request's life ---

    /// @inheritdoc IInferenceMarket
    function request(RequestParams calldata params, bytes calldata input, string calldata inputHint)
        external
        nonReentrant
        returns (uint256 requestId)
    {
        return _request(params, input, inputHint);
    }

    /// @inheritdoc IInferenceMarket
    function requestWithPermit(
        RequestParams calldata params,
        bytes calldata input,
        string calldata inputHint,
        Permit calldata permit
    ) external nonReentrant returns (uint256 requestId) {
        _depositWithPermit(permit);
        return _request(params, input, inputHint);
    }

    /// @inheritdoc IInferenceMarket
    function cancel(uint256 requestId) external nonReentrant {
        // Check: the requester, before anybody committed stake to it.
        StoredRequest storage stored = _known(requestId);
        if (stored.requester != msg.sender) revert InferenceMarket_NotRequester(requestId, msg.sender);
        if (stored.state != RequestState.OPEN) revert InferenceMarket_NotOpen(requestId, stored.state);
        // Check: nobody is named. The named executor shows output and proof in the transaction that locks: a cancel put
        // in front of it would take them for nothing.
        address named = stored.namedExecutor;
        if (named != address(0)) revert InferenceMarket_NamedCannotCancel(requestId, named);
        // Effect
        _refund(requestId, stored, 0);
    }

    /// @inheritdoc IInferenceMarket
    function refund(uint256 requestId) external nonReentrant {
        // Check: strictly after the last second in which it could be locked or fulfilled.
        StoredRequest storage stored = _known(requestId);
        RequestState state = stored.state;
        if (state != RequestState.OPEN && state != RequestState.LOCKED) {
            revert InferenceMarket_NotOpen(requestId, state);
        }
        uint64 last = _lastSecond(stored);
        if (block.timestamp <= last) revert InferenceMarket_NotExpired(requestId, last);

        // Effect
        uint8 flags = stored.pending.flags;
        uint256 missed = state == RequestState.LOCKED ? (flags & RequestFlags.MISSED == 0 ? 1 : 2) : 0;
        uint256 collateral = stored.collateral;
        (address requester, uint256 price) = _refund(requestId, stored, missed * collateral);
        if (missed == 0) return;

        // Interaction: moves no tokens, and cannot fail for claims that this contract opened: the compensation is at
        // most half of the collateral, and the requester is an account. What was missed before the last lock burns, all
        // of it.
        STAKING.slash(StoredRequests.claimId(requestId, flags), requester, Math.min(price, collateral / 2));
        if (missed == 2) STAKING.slash(StoredRequests.missedClaimId(requestId, flags), address(0), 0);
    }

    // --- steps ---

    function _request(RequestParams calldata params, bytes calldata input, string calldata inputHint)
        private
        returns (uint256 requestId)
    {
        // Check: room for one whole lock.
        _checkBounds(params, block.timestamp + params.lockDuration);
        _checkInput(params, input, inputHint);
        // Effect
        requestId = ++_requestCount;
        _open(requestId, msg.sender, params, input, inputHint);
    }

    /// @dev The caller has checked that the request is unfinished.
    function _refund(uint256 requestId, StoredRequest storage stored, uint256 slashed)
        private
        returns (address requester, uint256 price)
    {
        // Effect
        (requester, price) = (stored.requester, stored.pending.price);
        stored.state = RequestState.REFUNDED;
        _credit(requester, price);
        emit RequestRefunded(requestId, requester, price, slashed);
    }
}
