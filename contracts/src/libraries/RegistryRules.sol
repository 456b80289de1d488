// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {Circuit, InputBinding, TrustMode, VersionParams} from "../types/ModelTypes.sol";
import {IoSchema} from "./IoSchema.sol";

/// @title What the registry accepts
/// @notice Pure checks of names and publications; each reverts with the registry's error.
library RegistryRules {
    uint256 internal constant MAX_NAME_LENGTH = 64;
    uint256 internal constant MAX_URI_LENGTH = 512;
    uint256 internal constant MAX_REASON_LENGTH = 512;
    uint256 internal constant MAX_CIRCUITS = 64;
    uint256 internal constant MAX_SCHEMA_LENGTH = 1024;
    /// @dev Public values of one row. Each costs a fulfilment about 1,080 gas, nearly all of it in ezkl's verifier, and
    /// a transaction has 2^24 gas at most (https://eips.ethereum.org/EIPS/eip-7825): 8.9 of its 16.7 million.
    uint256 internal constant MAX_ROW_VALUES = 8192;
    /// @dev Packed bytes that a fulfilment carries for one row: 1.05 million gas of calldata.
    uint256 internal constant MAX_ROW_LENGTH = 65_536;
    uint16 internal constant MAX_ROYALTY_BPS = 5000;
    /// @dev The modes that exist: one bit per member of `TrustMode`.
    uint8 internal constant KNOWN_MODES = uint8((1 << (uint8(type(TrustMode).max) + 1)) - 1);
    /// @dev The modes in which an output may have to be proven.
    uint8 internal constant PROVEN_MODES = uint8((1 << uint8(TrustMode.ZK)) | (1 << uint8(TrustMode.LAZY_ZK)));
    /// @dev A KZG commitment is one curve point in a proof; a proof opens with one per input tensor.
    uint256 internal constant COMMITMENT_LENGTH = 64;

    /// @notice 1 to 64 characters of a-z, 0-9, `-`, `_`, `.`; the first a letter or a digit.
    function checkName(string calldata name) internal pure {
        bytes calldata chars = bytes(name);
        // Check: length.
        if (chars.length == 0 || chars.length > MAX_NAME_LENGTH) revert IModelRegistry.ModelRegistry_InvalidName(name);
        // Check: first character, then every character.
        if (!_isAlphanumeric(chars[0])) revert IModelRegistry.ModelRegistry_InvalidName(name);
        for (uint256 i = 1; i < chars.length; ++i) {
            if (!_isAlphanumeric(chars[i]) && !_isPunctuation(chars[i])) {
                revert IModelRegistry.ModelRegistry_InvalidName(name);
            }
        }
    }

    /// @notice Everything in a publication that can be judged without the chain's state.
    function checkPublication(VersionParams calldata params) internal pure {
        // Check: the files are named.
        if (params.modelDigest == 0 || params.manifestDigest == 0) revert IModelRegistry.ModelRegistry_InvalidDigest();
        // Check: modes known, at least one.
        if (params.modes == 0 || params.modes & ~KNOWN_MODES != 0) {
            revert IModelRegistry.ModelRegistry_InvalidModes(params.modes);
        }
        // Check: royalty.
        if (params.royaltyBps > MAX_ROYALTY_BPS) {
            revert IModelRegistry.ModelRegistry_RoyaltyTooHigh(params.royaltyBps, MAX_ROYALTY_BPS);
        }
        // Check: the hint where to fetch.
        if (bytes(params.uri).length > MAX_URI_LENGTH) {
            revert IModelRegistry.ModelRegistry_UriTooLong(bytes(params.uri).length, MAX_URI_LENGTH);
        }
        // Check: the schema is well-formed and bounded, since every verification reads it.
        bytes memory schema = params.ioSchema;
        if (schema.length > MAX_SCHEMA_LENGTH || !IoSchema.isValid(schema)) {
            revert IModelRegistry.ModelRegistry_InvalidSchema();
        }
        if (params.modes & PROVEN_MODES != 0) _checkRow(schema, params.binding);
        uint256 commitments = params.binding == InputBinding.KZG ? IoSchema.inputCount(schema) : 0;
        _checkCircuits(params.circuits, params.modes, commitments * COMMITMENT_LENGTH);
    }

    /// @dev What cannot be delivered in one transaction must not be asked for: the executor would lose his collateral
    /// for an answer that he has.
    function _checkRow(bytes memory schema, InputBinding binding) private pure {
        uint256 inputs = IoSchema.inputCount(schema);
        // Committed inputs are no public values, and their bytes stay off chain.
        uint256 from = binding == InputBinding.PACKED ? 0 : inputs;
        (uint256 values, uint256 length) = IoSchema.extent(schema, from, inputs + IoSchema.outputCount(schema));
        if (values > MAX_ROW_VALUES || length > MAX_ROW_LENGTH) {
            revert IModelRegistry.ModelRegistry_RowTooLarge(values, length);
        }
    }

    /// @param leastProofLength bytes of a proof that the input binding reads.
    function _checkCircuits(Circuit[] calldata circuits, uint8 modes, uint256 leastProofLength) private pure {
        // Check: a proof can exist where a mode asks for one.
        if (circuits.length == 0 && modes & PROVEN_MODES != 0) revert IModelRegistry.ModelRegistry_InvalidCircuits();
        if (circuits.length > MAX_CIRCUITS) revert IModelRegistry.ModelRegistry_InvalidCircuits();
        for (uint256 i = 0; i < circuits.length; ++i) {
            Circuit calldata circuit = circuits[i];
            // Check: complete, and the proof is a whole number of words, as the shared verifier requires.
            if (
                circuit.vkaDigest == 0 || circuit.batchSize == 0 || circuit.proofLength == 0
                    || circuit.proofLength % 32 != 0 || circuit.proofLength < leastProofLength
            ) revert IModelRegistry.ModelRegistry_InvalidCircuits();
            // Check: one circuit per role and batch size. The list is short, the caller pays for the square.
            for (uint256 j = 0; j < i; ++j) {
                if (circuits[j].batchSize == circuit.batchSize && circuits[j].role == circuit.role) {
                    revert IModelRegistry.ModelRegistry_InvalidCircuits();
                }
            }
        }
    }

    function _isAlphanumeric(bytes1 char) private pure returns (bool) {
        return (char >= "a" && char <= "z") || (char >= "0" && char <= "9");
    }

    function _isPunctuation(bytes1 char) private pure returns (bool) {
        return char == "-" || char == "_" || char == ".";
    }
}
