// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRecordMarket} from "../interfaces/IRecordMarket.sol";
import {ISignatureValidator} from "../interfaces/ISignatureValidator.sol";
import {UnorderedNonces} from "../libraries/UnorderedNonces.sol";
import {MarketAccounts} from "./MarketAccounts.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title Who asks
/// @notice Requests that were sent and requests that were signed have ids and nonces of one kind: a nonce makes one
/// request, however it came. A signature is looked at when its request is made, and never again.
abstract contract MarketSignatures is MarketAccounts, IRecordMarket, EIP712 {
    using UnorderedNonces for UnorderedNonces.Nonces;

    /// @dev `r ‖ s ‖ v`: too short for ERC-6492's wrapper.
    uint256 private constant ECDSA_LENGTH = 65;

    ISignatureValidator private immutable SIGNATURE_VALIDATOR;

    UnorderedNonces.Nonces private _nonces;

    constructor(string memory name, address signatureValidator_) EIP712(name, "1") {
        // Check: code that tells how much gas it gives, so not just any account.
        if (signatureValidator_.code.length == 0 || ISignatureValidator(signatureValidator_).ERC1271_GAS() == 0) {
            revert RecordMarket_InvalidConfiguration();
        }
        // Effect
        SIGNATURE_VALIDATOR = ISignatureValidator(signatureValidator_);
    }

    /// @inheritdoc IRecordMarket
    function cancelNonces(uint256 wordIndex, uint256 mask) external nonReentrant {
        // Effect
        _nonces.cancel(msg.sender, wordIndex, mask);
        emit NoncesCancelled(msg.sender, wordIndex, mask);
    }

    /// @inheritdoc IRecordMarket
    function nonceWord(address account, uint256 wordIndex) external view returns (uint256) {
        return _nonces.wordOf(account, wordIndex);
    }

    /// @inheritdoc IRecordMarket
    function signatureValidator() external view returns (address) {
        return address(SIGNATURE_VALIDATOR);
    }

    /// @dev That the requester signed this id. Runs foreign code: to be called before any effect.
    function _requireSigned(uint256 requestId, address requester, bytes calldata signature) internal {
        // Check: an account without code signs by itself. What it signed needs no foreign code, and no call.
        if (requester.code.length == 0 && signature.length == ECDSA_LENGTH) {
            // OpenZeppelin refuses the second spelling of a signature, and an error comes with the zero address.
            (address signer,,) = ECDSA.tryRecoverCalldata(bytes32(requestId), signature);
            if (signer == requester && signer != address(0)) return;
            revert RecordMarket_InvalidSignature(requestId, requester);
        }
        // Interaction: by a contract that has nothing.
        if (!SIGNATURE_VALIDATOR.isValidSignature(requester, bytes32(requestId), signature)) {
            revert RecordMarket_InvalidSignature(requestId, requester);
        }
    }

    /// @dev That the requester is who calls.
    function _requireSent(uint256 requestId, address requester) internal view {
        if (requester != msg.sender) revert RecordMarket_NotRequester(requestId, msg.sender, requester);
    }

    /// @dev A request's id holds its nonce, so that each id is made once at most.
    function _useNonce(address requester, uint256 nonce) internal {
        if (!_nonces.tryUse(requester, nonce)) revert RecordMarket_NonceUsed(requester, nonce);
    }
}
