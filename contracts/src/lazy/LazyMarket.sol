// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {ILazyMarket} from "../interfaces/ILazyMarket.sol";
import {LazyHashes} from "../libraries/LazyHashes.sol";
import {RegistryRules} from "../libraries/RegistryRules.sol";
import {RecordMarket} from "../markets/RecordMarket.sol";
import {LazyClaim, LazyLimits, LazyState} from "../types/LazyTypes.sol";
import {TrustMode} from "../types/ModelTypes.sol";
import {Finality, RecordLimits} from "../types/RecordTypes.sol";
import {LazyAnswers} from "./LazyAnswers.sol";
import {LazyBacking} from "./LazyBacking.sol";
import {LazyBounds} from "./LazyBounds.sol";

/// @title Market of inferences that are proven only when somebody doubts
/// @notice A request goes OPEN -> LOCKED -> ANSWERED -> DISPUTED -> FINAL or SLASHED, from ANSWERED to FINAL, or from
/// OPEN or LOCKED to REFUNDED. Its price leaves the requester's balance once, and reaches balances and royalties once,
/// when it ends.
contract LazyMarket is LazyAnswers {
    using LazyHashes for LazyClaim;

    address private immutable COURT;

    constructor(
        address token_,
        address registry_,
        address zkVerifier_,
        address staking_,
        address signatureValidator_,
        address court_,
        RecordLimits memory recordLimits,
        LazyLimits memory lazyLimits
    )
        RecordMarket("Gateless LazyMarket", TrustMode.LAZY_ZK, token_, registry_, signatureValidator_, recordLimits)
        LazyBounds(zkVerifier_, lazyLimits)
        LazyBacking(staking_, lazyLimits)
    {
        // Check: a court, in the same token.
        if (IDisputeCourt(court_).token() != token_ || IDisputeCourt(court_).CHALLENGE_BOND() == 0) {
            revert RecordMarket_InvalidConfiguration();
        }
        // Check: room for the output of any version. Who has locked must be able to answer.
        if (recordLimits.maxOutputLength < RegistryRules.MAX_PACKED_LENGTH) {
            revert RecordMarket_InvalidConfiguration();
        }
        // Effect
        COURT = court_;
    }

    // --- for the court ---

    /// @inheritdoc ILazyMarket
    function dispute(LazyClaim calldata claim) external nonReentrant {
        // Check: an answer that may be challenged now. The last second of the window still counts.
        bytes32 claimHash = _requireVerdict(claim, LazyState.ANSWERED);
        if (block.timestamp > claim.challengeDeadline) {
            revert LazyMarket_ChallengeWindowOver(claim.requestId, claim.challengeDeadline);
        }
        // Effect
        _set(claim.requestId, LazyState.DISPUTED, claimHash);
    }

    /// @inheritdoc ILazyMarket
    function settle(LazyClaim calldata claim, bytes calldata output) external nonReentrant {
        // Check: an answer that is not final, disputed or not. That it is right is the court's verdict.
        LazyState state =
            _stateOf(claim.requestId) == uint8(LazyState.DISPUTED) ? LazyState.DISPUTED : LazyState.ANSWERED;
        _requireVerdict(claim, state);
        // Effect
        _finish(claim.requestId, claim.versionId, claim.outputDigest, Finality.PROVEN, claim.collateral);
        _pay(claim, Finality.PROVEN);
        // Interaction: the requester's code, last.
        if (claim.callback != address(0)) _callBack(_callbackOf(claim), output);
    }

    /// @inheritdoc ILazyMarket
    function slash(LazyClaim calldata claim, address challenger) external nonReentrant {
        // Check: the disputed answer. That its time is over is the court's verdict.
        _requireVerdict(claim, LazyState.DISPUTED);
        // Effect: the price goes back to where it came from.
        uint256 requestId = claim.requestId;
        uint256 collateral = claim.collateral;
        _set(requestId, LazyState.SLASHED, 0);
        _credit(claim.requester, claim.price);
        (uint256 compensation, uint256 reward) = _splitOfSlash(collateral, claim.price);
        emit ClaimSlashed(
            requestId, claim.executor, challenger, compensation, reward, collateral - compensation - reward
        );
        // Interaction: the staking contract moves no tokens and cannot refuse.
        _slashUsed(requestId, claim.executor, collateral, claim.requester, compensation, challenger, reward);
    }

    /// @inheritdoc ILazyMarket
    function court() external view returns (address) {
        return COURT;
    }

    /// @dev That the court calls, about a claim that the record holds in this state.
    function _requireVerdict(LazyClaim calldata claim, LazyState state) private view returns (bytes32 claimHash) {
        if (msg.sender != COURT) revert LazyMarket_NotCourt(msg.sender);
        claimHash = claim.hashShown();
        _require(claim.requestId, state, claimHash);
    }
}
