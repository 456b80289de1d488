// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISignatureValidator} from "./interfaces/ISignatureValidator.sol";
import {BoundedCall} from "./libraries/BoundedCall.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Whether an account signed a digest
/// @notice Holds no funds, no approvals and no rights: an account's own code, and whatever an ERC-6492 signature names,
/// is called by this contract, so that nobody who has something to lose is ever the caller.
/// @dev The order is the one that https://eips.ethereum.org/EIPS/eip-6492 asks for: its wrapper first, then ERC-1271
/// where there is code, ECDSA only where there is none ("checking `ecrecover` MUST NOT happen before ERC-1271
/// verification, because a contract may use a signature format that also happens to be a valid `ecrecover` signature").
///
/// The ERC on what a deployment may do: "deploying a contract requires a CALL rather than a STATICCALL, which
/// introduces reentrancy concerns. This is mitigated in the reference implementation by having the validation method
/// always revert
/// if there are side-effects, and capturing its actual result from the revert data." So it is here: whatever a factory
/// does, also to third contracts, is undone. The price is that an account stays undeployed until its owner deploys it,
/// and each of its signatures pays for the deployment again until then.
contract SignatureValidator is ISignatureValidator {
    /// @inheritdoc ISignatureValidator
    uint256 public constant ERC1271_GAS = 200_000;
    /// @inheritdoc ISignatureValidator
    uint256 public constant PREPARE_GAS = 2_000_000;

    /// @dev What an ERC-6492 signature ends with.
    bytes32 private constant MAGIC = 0x6492649264926492649264926492649264926492649264926492649264926492;
    /// @dev Gas kept beside what foreign code is promised: cold account, memory, decoding.
    uint256 private constant RESERVE = 30_000;

    /// @inheritdoc ISignatureValidator
    function isValidSignature(address account, bytes32 digest, bytes calldata signature) external returns (bool valid) {
        if (_isWrapped(signature)) return _isValidWrapped(account, digest, signature[:signature.length - 32]);
        if (account.code.length != 0) return _isValidByAccount(account, digest, signature);
        // OpenZeppelin refuses the second spelling of a signature (s in the upper half, other values of v), and an
        // error comes with the zero address, which is compared with nothing.
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        return failure == ECDSA.RecoverError.NoError && signer == account;
    }

    /// @inheritdoc ISignatureValidator
    function prepareAndRevert(address account, bytes32 digest, bytes calldata wrapped) external {
        (bool decoded, address to, bytes calldata data, bytes calldata inner) = _unwrap(wrapped);
        bool valid;
        if (decoded) {
            // Whether the call succeeds does not matter: the account's answer does.
            _requireGas(PREPARE_GAS + ERC1271_GAS);
            BoundedCall.tryCall(to, PREPARE_GAS, 0, data);
            valid = _isValidByAccount(account, digest, inner);
        }
        assembly ("memory-safe") {
            mstore(0, valid)
            revert(31, 1)
        }
    }

    /// @dev The account as it is now decides, if it accepts: keys may have changed since its deployment was signed.
    function _isValidWrapped(address account, bytes32 digest, bytes calldata wrapped) private returns (bool) {
        (bool decoded,,, bytes calldata inner) = _unwrap(wrapped);
        if (!decoded) return false;
        if (account.code.length != 0 && _isValidByAccount(account, digest, inner)) return true;
        // All the gas that there is: the call fails for want of what it promises, and never answers for want of it.
        (, bytes memory answer) = BoundedCall.tryCall(
            address(this), gasleft(), 256, abi.encodeCall(this.prepareAndRevert, (account, digest, wrapped))
        );
        // Nothing but the end of `prepareAndRevert` reverts with one byte.
        if (answer.length == 1) return answer[0] == 0x01;
        revert SignatureValidator_NotEnoughGas(gasleft(), PREPARE_GAS + ERC1271_GAS);
    }

    /// @dev ERC-1271: code that cannot change anything, with bounded gas and of whose answer one word is read.
    function _isValidByAccount(address account, bytes32 digest, bytes calldata signature) private view returns (bool) {
        _requireGas(ERC1271_GAS);
        (bool success, bytes memory answer) = BoundedCall.tryStaticCall(
            account, ERC1271_GAS, 32, abi.encodeCall(IERC1271.isValidSignature, (digest, signature))
        );
        return success && answer.length == 32 && bytes32(answer) == bytes32(IERC1271.isValidSignature.selector);
    }

    /// @dev With less gas than promised, foreign code could be made to fail at will by whoever sends the transaction.
    function _requireGas(uint256 promised) private view {
        uint256 passable = gasleft() * 63 / 64;
        if (passable < promised + RESERVE) revert SignatureValidator_NotEnoughGas(passable, promised + RESERVE);
    }

    function _isWrapped(bytes calldata signature) private pure returns (bool) {
        return signature.length >= 32 && bytes32(signature[signature.length - 32:]) == MAGIC;
    }

    /// @dev abi.encode(address, bytes, bytes), read without reverting: a malformed wrapper is an invalid signature.
    function _unwrap(bytes calldata wrapped)
        private
        pure
        returns (bool decoded, address to, bytes calldata data, bytes calldata inner)
    {
        data = inner = wrapped[:0];
        if (wrapped.length < 96) return (false, to, data, inner);
        uint256 target = uint256(bytes32(wrapped));
        if (target > type(uint160).max) return (false, to, data, inner);
        bool whole;
        (decoded, data) = _tail(wrapped, uint256(bytes32(wrapped[32:64])));
        (whole, inner) = _tail(wrapped, uint256(bytes32(wrapped[64:96])));
        return (decoded && whole, address(uint160(target)), data, inner);
    }

    /// @dev The bytes at an offset, if they are inside.
    function _tail(bytes calldata wrapped, uint256 at) private pure returns (bool inside, bytes calldata part) {
        part = wrapped[:0];
        // No sum can overflow: each summand is checked against the length first.
        if (at > wrapped.length - 32) return (false, part);
        uint256 length = uint256(bytes32(wrapped[at:at + 32]));
        if (length > wrapped.length - 32 - at) return (false, part);
        return (true, wrapped[at + 32:at + 32 + length]);
    }
}
