// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MarketAdmission} from "./MarketAdmission.sol";
import {MarketLocking} from "./MarketLocking.sol";
import {IInferenceMarket} from "./interfaces/IInferenceMarket.sol";
import {ISignatureValidator} from "./interfaces/ISignatureValidator.sol";
import {BoundedCall} from "./libraries/BoundedCall.sol";
import {SignedRequests} from "./libraries/SignedRequests.sol";
import {StoredRequest, StoredRequests} from "./libraries/StoredRequests.sol";
import {UnorderedNonces} from "./libraries/UnorderedNonces.sol";
import {SignedRequest} from "./types/MarketTypes.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title Requests that were signed instead of sent
/// @notice The transaction that locks such a request makes it: it takes the price from the requester's deposit. From
/// then on it is a request like any other, and no signature is looked at again.
abstract contract MarketSigned is MarketLocking, MarketAdmission, EIP712 {
    using SignedRequests for SignedRequest;
    using StoredRequests for StoredRequest;
    using UnorderedNonces for UnorderedNonces.Nonces;

    /// @dev Bytes of a revert's reason that are logged.
    uint256 private constant MAX_REASON = 256;

    ISignatureValidator internal immutable SIGNATURE_VALIDATOR;

    UnorderedNonces.Nonces private _nonces;

    constructor(address signatureValidator_) EIP712("Gateless InferenceMarket", "1") {
        // Check: code that tells how much gas it gives, so not just any account.
        if (signatureValidator_.code.length == 0 || ISignatureValidator(signatureValidator_).ERC1271_GAS() == 0) {
            revert InferenceMarket_InvalidConfiguration();
        }
        // Effect
        SIGNATURE_VALIDATOR = ISignatureValidator(signatureValidator_);
    }

    /// @inheritdoc IInferenceMarket
    function lockSigned(
        SignedRequest calldata signed,
        bytes calldata signature,
        uint32 leastSeconds,
        uint128 leastPrice
    ) external nonReentrant returns (uint256 requestId) {
        requestId = _accept(signed, signature);
        _lockFor(requestId, leastSeconds, leastPrice);
    }

    /// @inheritdoc IInferenceMarket
    function lockSignedAndFulfill(
        SignedRequest calldata signed,
        bytes calldata signature,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external nonReentrant returns (uint256 requestId) {
        requestId = _accept(signed, signature);
        _lockAtOnce(requestId, _requests[requestId]);
        _fulfill(requestId, circuitIndex, input, output, proof);
    }

    /// @inheritdoc IInferenceMarket
    /// @dev By DELEGATECALL to this contract's own code, which cannot change: each call runs as if the caller had sent
    /// it by itself, with its own guard, and one that reverts takes back its own changes only. Nothing here is payable,
    /// so no value is counted twice.
    function lockMany(bytes[] calldata locks) external returns (uint256 locked) {
        // Check: locks only. What else could be called would fail or succeed by the gas that is left.
        for (uint256 i = 0; i < locks.length; ++i) {
            bytes4 selector = bytes4(locks[i]);
            if (selector != this.lock.selector && selector != this.lockSigned.selector) {
                revert InferenceMarket_NotALock(i);
            }
        }
        // Interaction: with itself.
        for (uint256 i = 0; i < locks.length; ++i) {
            (bool success, bytes memory reason) =
                BoundedCall.tryDelegateCall(address(this), gasleft(), MAX_REASON, locks[i]);
            if (success) ++locked;
            else emit LockSkipped(msg.sender, i, reason);
        }
        if (locked == 0) revert InferenceMarket_NothingLocked();
    }

    /// @inheritdoc IInferenceMarket
    function cancelNonces(uint256 wordIndex, uint256 mask) external nonReentrant {
        // Effect
        _nonces.cancel(msg.sender, wordIndex, mask);
        emit NoncesCancelled(msg.sender, wordIndex, mask);
    }

    /// @inheritdoc IInferenceMarket
    function nonceWord(address account, uint256 wordIndex) external view returns (uint256) {
        return _nonces.wordOf(account, wordIndex);
    }

    /// @inheritdoc IInferenceMarket
    function signatureValidator() external view returns (address) {
        return address(SIGNATURE_VALIDATOR);
    }

    /// @inheritdoc IInferenceMarket
    function idOf(SignedRequest calldata signed) public view returns (uint256) {
        return uint256(_hashTypedDataV4(signed.structHash()));
    }

    /// @dev Opens a signed request, paid from its requester's balance.
    function _accept(SignedRequest calldata signed, bytes calldata signature) private returns (uint256 requestId) {
        requestId = idOf(signed);
        // Interaction: foreign code, before any effect, called by a contract that has nothing.
        if (!SIGNATURE_VALIDATOR.isValidSignature(signed.requester, bytes32(requestId), signature)) {
            revert InferenceMarket_InvalidSignature(requestId, signed.requester);
        }
        // Check: a life of any length that is left; the lock asks for its own time.
        _checkBounds(signed.params, block.timestamp);
        _checkInput(signed.params, msg.data[:0], signed.inputHint);
        // Effect
        if (!_nonces.tryUse(signed.requester, signed.nonce)) {
            revert InferenceMarket_NonceUsed(signed.requester, signed.nonce);
        }
        _open(requestId, signed.requester, signed.params, msg.data[:0], signed.inputHint);
    }
}
