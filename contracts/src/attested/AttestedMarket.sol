// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AttestedAnswer, IAttestationVerifier} from "../interfaces/IAttestationVerifier.sol";
import {BoundedCall} from "../libraries/BoundedCall.sol";
import {RecordMarket} from "../markets/RecordMarket.sol";
import {TrustMode, Version} from "../types/ModelTypes.sol";
import {Finality, RecordLimits} from "../types/RecordTypes.sol";
import {AttestedHashes} from "./AttestedHashes.sol";
import {AttestedRequest, AttestedState} from "./AttestedTypes.sol";
import {IAttestedMarket} from "./IAttestedMarket.sol";

/// @title Market of attested answers
/// @notice A request goes OPEN -> FINAL or OPEN -> REFUNDED; a signed one is FINAL in the transaction that answers it,
/// and costs nothing before. The evidence binds the executor who is paid, so that a copy of it is worth nothing.
/// @dev The record of an open request has no details: its id is the digest of all that was asked.
contract AttestedMarket is RecordMarket, IAttestedMarket {
    /// @inheritdoc IAttestedMarket
    /// @dev 255 keys of a key set take less than two million.
    uint256 public constant VERIFIER_GAS = 3_000_000;

    /// @dev Bytes of a verifier's answer that are copied.
    uint256 private constant MAX_REASON = 256;

    constructor(address token_, address registry_, address signatureValidator_, RecordLimits memory limits)
        RecordMarket("Gateless AttestedMarket", TrustMode.ATTESTED, token_, registry_, signatureValidator_, limits)
    {}

    /// @inheritdoc IAttestedMarket
    function request(AttestedRequest calldata request_, bytes calldata input)
        external
        nonReentrant
        returns (uint256 requestId)
    {
        // Check
        requestId = idOf(request_);
        _requireSent(requestId, request_.requester);
        _termsOf(request_.versionId);
        _checkRequest(request_, input);
        // Effect
        _useNonce(request_.requester, request_.nonce);
        _debit(request_.requester, request_.maxPrice);
        _setRecord(requestId, uint8(AttestedState.OPEN), 0);
        emit AttestedOpened(requestId, request_.versionId, request_.requester, request_, input);
    }

    /// @inheritdoc IAttestedMarket
    function fulfill(
        AttestedRequest calldata request_,
        uint128 leastPrice,
        bytes calldata output,
        bytes calldata evidence
    ) external nonReentrant {
        // Check
        uint256 requestId = idOf(request_);
        _requireRecord(requestId, uint8(AttestedState.OPEN), 0);
        uint128 price = _checkAnswer(requestId, request_, leastPrice, output, evidence);
        // Effect: what the price leaves of the most is change.
        if (price != request_.maxPrice) _credit(request_.requester, request_.maxPrice - price);
        _pay(requestId, request_, price, output);
    }

    /// @inheritdoc IAttestedMarket
    function fulfillSigned(
        AttestedRequest calldata request_,
        bytes calldata signature,
        uint128 leastPrice,
        bytes calldata output,
        bytes calldata evidence
    ) external nonReentrant returns (uint256 requestId) {
        // Check
        requestId = idOf(request_);
        _requireSigned(requestId, request_.requester, signature);
        _termsOf(request_.versionId);
        _checkRequest(request_, msg.data[:0]);
        uint128 price = _checkAnswer(requestId, request_, leastPrice, output, evidence);
        // Effect
        _useNonce(request_.requester, request_.nonce);
        _debit(request_.requester, price);
        _pay(requestId, request_, price, output);
    }

    /// @inheritdoc IAttestedMarket
    function refund(AttestedRequest calldata request_) external nonReentrant {
        // Check: strictly after the last second in which it could be answered.
        uint256 requestId = idOf(request_);
        _requireRecord(requestId, uint8(AttestedState.OPEN), 0);
        if (block.timestamp <= request_.deadline) revert AttestedMarket_NotExpired(requestId, request_.deadline);
        // Effect
        _setRecord(requestId, uint8(AttestedState.REFUNDED), 0);
        _credit(request_.requester, request_.maxPrice);
        emit AttestedRefunded(requestId, request_.requester, request_.maxPrice);
    }

    /// @inheritdoc IAttestedMarket
    function stateOf(uint256 requestId) external view returns (AttestedState) {
        return AttestedState(_stateOf(requestId));
    }

    /// @inheritdoc IAttestedMarket
    function idOf(AttestedRequest calldata request_) public view returns (uint256) {
        return uint256(_hashTypedDataV4(AttestedHashes.structHash(request_)));
    }

    /// @dev Makes the answer final and pays for it. The caller has checked that it is due and taken the price.
    function _pay(uint256 requestId, AttestedRequest calldata request_, uint256 price, bytes calldata output) private {
        // Effect: nobody's stake answers for it, so no bond.
        (uint256 fee, uint256 royalty) = _split(price, _termsOf(request_.versionId).royaltyBps);
        _finish(requestId, request_.versionId, keccak256(output), Finality.ATTESTED, 0);
        _payOut(msg.sender, request_.versionId >> 32, fee, royalty);
        emit AttestedFulfilled(requestId, request_.versionId, msg.sender, request_.requester, fee, royalty, output);
        // Interaction: the requester's code, last.
        if (request_.callback == address(0)) return;
        _callBack(
            Callback({
                requestId: requestId,
                versionId: request_.versionId,
                requester: request_.requester,
                inputDigest: request_.inputDigest,
                inputBinding: request_.inputBinding,
                callback: request_.callback,
                callbackGas: request_.callbackGas
            }),
            output
        );
    }

    /// @dev Everything about an answer that does not depend on how the request was made.
    /// @return price of this second.
    function _checkAnswer(
        uint256 requestId,
        AttestedRequest calldata request_,
        uint128 leastPrice,
        bytes calldata output,
        bytes calldata evidence
    ) private view returns (uint128 price) {
        // Check: in time, by whom it asks, for what the caller expects.
        if (block.timestamp > request_.deadline) revert AttestedMarket_Expired(requestId, request_.deadline);
        if (request_.executor != address(0) && request_.executor != msg.sender) {
            revert AttestedMarket_NotNamedExecutor(requestId, msg.sender, request_.executor);
        }
        price = _priceNow(request_.maxPrice, request_.minPrice, request_.rampStart, request_.rampLength);
        if (price < leastPrice) revert AttestedMarket_PriceTooLow(price, leastPrice);
        _checkOutput(output);
        _requireAttested(requestId, request_, keccak256(output), evidence);
    }

    /// @dev Asks the verifier that the request pins: foreign code that can change nothing, with bounded gas, of whose
    /// answer a few words are copied.
    function _requireAttested(
        uint256 requestId,
        AttestedRequest calldata request_,
        bytes32 outputDigest,
        bytes calldata evidence
    ) private view {
        AttestedAnswer memory answer = AttestedAnswer({
            market: address(this),
            requestId: requestId,
            versionId: request_.versionId,
            inputDigest: request_.inputDigest,
            outputDigest: outputDigest,
            executor: msg.sender
        });
        (bool success, bytes memory answered) = BoundedCall.tryStaticCall(
            request_.verifier,
            VERIFIER_GAS,
            MAX_REASON,
            abi.encodeCall(IAttestationVerifier.verifyAttestation, (request_.policy, answer, evidence))
        );
        // Check: one word, the selector and nothing else. An account without code answers with none.
        bool accepted = success && answered.length == 32
            && bytes32(answered) == bytes32(IAttestationVerifier.verifyAttestation.selector);
        if (!accepted) revert AttestedMarket_NotAttested(requestId, request_.verifier, answered);
    }

    function _checkRequest(AttestedRequest calldata request_, bytes calldata input) private view {
        _checkDeadline(request_.deadline, block.timestamp);
        _checkPrices(request_.maxPrice, request_.minPrice, request_.rampStart, request_.rampLength, request_.deadline);
        _checkCallback(request_.callback, request_.callbackGas);
        _checkInput(request_.inputDigest, input, request_.inputHint);
        // Check: nothing but the digest is attested.
        if (request_.inputBinding != request_.inputDigest) {
            revert RecordMarket_InputBindingMismatch(request_.inputBinding, request_.inputDigest);
        }
        // Check: somebody who can accept an answer.
        if (request_.verifier.code.length == 0) revert AttestedMarket_NoCodeAt(request_.verifier);
    }

    /// @dev Whatever allows the mode and has an output that fits can answer in it: no circuit is needed.
    function _checkVersion(uint64 versionId, Version memory) internal view override {
        _checkDeliverable(versionId);
    }
}
