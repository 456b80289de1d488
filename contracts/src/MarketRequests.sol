// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MarketLimits} from "./MarketLimits.sol";
import {IExecutorStaking} from "./interfaces/IExecutorStaking.sol";
import {IInferenceMarket} from "./interfaces/IInferenceMarket.sol";
import {IZkVerifier} from "./interfaces/IZkVerifier.sol";
import {StoredRequest, StoredRequests} from "./libraries/StoredRequests.sol";
import {MarketAccounts} from "./markets/MarketAccounts.sol";
import {Limits, Request, RequestState} from "./types/MarketTypes.sol";

/// @title Requests of the market, for reading
/// @notice Where requests are kept and which contracts they are settled with. How they change is in `MarketFulfilment`
/// and `InferenceMarket`, which extend this.
abstract contract MarketRequests is MarketAccounts, MarketLimits {
    using StoredRequests for StoredRequest;

    IZkVerifier internal immutable ZK_VERIFIER;
    IExecutorStaking internal immutable STAKING;

    uint256 internal _requestCount;
    mapping(uint256 requestId => StoredRequest) internal _requests;

    constructor(address token_, address registry_, address zkVerifier_, address staking_, Limits memory limits)
        MarketAccounts(token_, registry_)
        MarketLimits(limits)
    {
        // Check: the parts belong together.
        if (IZkVerifier(zkVerifier_).registry() != registry_) revert InferenceMarket_InvalidConfiguration();
        if (IExecutorStaking(staking_).token() != token_) revert InferenceMarket_InvalidConfiguration();
        // Check: nobody can leave the staking contract before the last claim that he could have taken on is final.
        uint64 exitDelay = IExecutorStaking(staking_).EXIT_DELAY();
        uint64 longest = limits.maxLifetime + limits.maxLockDuration;
        if (exitDelay < longest) revert InferenceMarket_ExitDelayTooShort(exitDelay, longest);

        // Effect
        ZK_VERIFIER = IZkVerifier(zkVerifier_);
        STAKING = IExecutorStaking(staking_);
    }

    /// @inheritdoc IInferenceMarket
    function zkVerifier() external view returns (address) {
        return address(ZK_VERIFIER);
    }

    /// @inheritdoc IInferenceMarket
    function staking() external view returns (address) {
        return address(STAKING);
    }

    /// @inheritdoc IInferenceMarket
    function requestCount() external view returns (uint256) {
        return _requestCount;
    }

    /// @inheritdoc IInferenceMarket
    function requestOf(uint256 requestId) external view returns (Request memory) {
        return _known(requestId).view_();
    }

    /// @inheritdoc IInferenceMarket
    function termsOf(uint256 requestId) external view returns (bytes32) {
        StoredRequest storage stored = _known(requestId);
        // Check: they are still there.
        if (stored.state == RequestState.PAID) revert InferenceMarket_NotOpen(requestId, RequestState.PAID);
        return stored.termsHash();
    }

    /// @inheritdoc IInferenceMarket
    function statusOf(uint256 requestId) external view returns (RequestState state, bool refundable) {
        StoredRequest storage stored = _known(requestId);
        state = stored.state;
        bool unfinished = state == RequestState.OPEN || state == RequestState.LOCKED;
        refundable = unfinished && block.timestamp > _lastSecond(stored);
    }

    function _known(uint256 requestId) internal view returns (StoredRequest storage stored) {
        stored = _requests[requestId];
        if (stored.state == RequestState.NONE) revert InferenceMarket_UnknownRequest(requestId);
    }

    /// @dev Last second of an unfinished request: of its lock, or else of its own.
    function _lastSecond(StoredRequest storage stored) internal view returns (uint64) {
        return stored.state == RequestState.LOCKED ? stored.pending.lockDeadline : stored.pending.deadline;
    }
}
