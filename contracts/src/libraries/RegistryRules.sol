// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {Circuit, InputBinding, TrustMode, VersionParams} from "../types/ModelTypes.sol";
import {IoSchema} from "./IoSchema.sol";
import {PublicWords} from "./PublicWords.sol";

/// @title What the registry accepts
/// @notice Pure checks of names and publications; each reverts with the registry's error.
library RegistryRules {
    uint256 internal constant MAX_NAME_LENGTH = 64;
    uint256 internal constant MAX_URI_LENGTH = 512;
    uint256 internal constant MAX_REASON_LENGTH = 512;
    uint256 internal constant MAX_CIRCUITS = 64;
    uint256 internal constant MAX_SCHEMA_LENGTH = 1024;
    // What one proof may cover, all rows of its batch together. A transaction has 2^24 gas at most
    // (https://eips.ethereum.org/EIPS/eip-7825); all five at once take 16.6 of its 16.7 million, 0.4 of them the same
    // for every proof.
    /// @dev Rows. The market's books take less than 20,000 gas for each: 2.6 million.
    uint256 internal constant MAX_BATCH_SIZE = 128;
    /// @dev Public words. Each costs about 1,080 gas, nearly all of it in ezkl's verifier: 8.9 million.
    uint256 internal constant MAX_WORDS = 8192;
    /// @dev Public values, which are more than words where words are dense. Each costs some 130 gas: 3.2 million.
    uint256 internal constant MAX_VALUES = 24_576;
    /// @dev Packed bytes of them in the transaction: 1.05 million gas of calldata.
    uint256 internal constant MAX_PACKED_LENGTH = 65_536;
    /// @dev Bytes of a proof. Beyond those of a circuit of one column (1,952 bytes), each costs some 47 gas, calldata
    /// and the curve points that it is made of: 0.5 million. Circuits of four columns fit.
    uint256 internal constant MAX_PROOF_LENGTH = 12_288;
    /// @dev The scalar field has 254 bits, and its order is above 2^253.
    uint256 internal constant MAX_WORD_BITS = 253;
    uint16 internal constant MAX_ROYALTY_BPS = 5000;
    /// @dev The modes that exist: one bit per member of `TrustMode`.
    uint8 internal constant KNOWN_MODES = uint8((1 << (uint8(type(TrustMode).max) + 1)) - 1);
    /// @dev The modes in which an output may have to be proven.
    uint8 internal constant PROVEN_MODES = uint8((1 << uint8(TrustMode.ZK)) | (1 << uint8(TrustMode.LAZY_ZK)));
    /// @dev The mode that compares output bytes.
    uint8 internal constant COMPARED_MODES = uint8(1 << uint8(TrustMode.QUORUM));
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
        _checkModes(params);
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
        // Check: a proof can exist where a mode asks for one.
        bool isProven = params.modes & PROVEN_MODES != 0;
        if (params.circuits.length == 0 && isProven) revert IModelRegistry.ModelRegistry_InvalidCircuits();
        // Check: the time of a proof is stated exactly where one can be made.
        if ((params.proofSeconds == 0) != (params.circuits.length == 0)) {
            revert IModelRegistry.ModelRegistry_InvalidProofSeconds(params.proofSeconds);
        }
        uint256 commitments = params.binding == InputBinding.KZG ? IoSchema.inputCount(schema) : 0;
        _checkCircuits(params.circuits, commitments * COMMITMENT_LENGTH);
        for (uint256 i = 0; i < params.circuits.length; ++i) {
            _checkBatchAndDigits(i, params.circuits[i], params.binding, schema);
            if (isProven) _checkSize(i, params.circuits[i], params.binding, schema);
        }
    }

    function _checkModes(VersionParams calldata params) private pure {
        // Check: modes known, at least one.
        if (params.modes == 0 || params.modes & ~KNOWN_MODES != 0) {
            revert IModelRegistry.ModelRegistry_InvalidModes(params.modes);
        }
        // Check: who compares bytes compares what repeats.
        if (params.modes & COMPARED_MODES != 0 && !params.repeatable) {
            revert IModelRegistry.ModelRegistry_NotRepeatable();
        }
    }

    /// @dev A commitment covers the batch's whole tensor and cannot bind one row; and dense words are made of public
    /// values, which committed inputs are not.
    function _checkBatchAndDigits(uint256 index, Circuit calldata circuit, InputBinding binding, bytes memory schema)
        private
        pure
    {
        // Check: rows of their own.
        if (circuit.batchSize != 1 && binding != InputBinding.PACKED) {
            revert IModelRegistry.ModelRegistry_BatchNotPacked(index);
        }
        // Check: no digits at all, or digits that hold every tensor's values and fit a word.
        uint256 digitBits = circuit.digitBits;
        uint256 digitsPerWord = circuit.digitsPerWord;
        bool fits = digitBits == 0
            ? digitsPerWord == 0
            : binding == InputBinding.PACKED && digitsPerWord != 0 && digitBits * digitsPerWord <= MAX_WORD_BITS
                && digitBits >= 8 * IoSchema.maxWidth(schema);
        if (!fits) {
            revert IModelRegistry.ModelRegistry_InvalidDigits(index, circuit.digitBits, circuit.digitsPerWord);
        }
    }

    /// @dev What cannot be delivered in one transaction must not be asked for: the executor would lose his collateral
    /// for an answer that he has. Nobody must use a batch, but one that nobody can use is not published either.
    function _checkSize(uint256 index, Circuit calldata circuit, InputBinding binding, bytes memory schema)
        private
        pure
    {
        if (circuit.batchSize > MAX_BATCH_SIZE) {
            revert IModelRegistry.ModelRegistry_BatchTooLarge(index, circuit.batchSize);
        }
        if (circuit.proofLength > MAX_PROOF_LENGTH) {
            revert IModelRegistry.ModelRegistry_ProofTooLong(index, circuit.proofLength);
        }
        uint256 inputs = IoSchema.inputCount(schema);
        // Committed inputs are no public values, and their bytes stay off chain.
        uint256 from = binding == InputBinding.PACKED ? 0 : inputs;
        (uint256 words, uint256 values, uint256 length) = PublicWords.extent(
            PublicWords.Spelling(circuit.batchSize, circuit.digitBits, circuit.digitsPerWord),
            schema,
            from,
            inputs + IoSchema.outputCount(schema)
        );
        if (words > MAX_WORDS || values > MAX_VALUES || length > MAX_PACKED_LENGTH) {
            revert IModelRegistry.ModelRegistry_ProofTooLarge(index, words, values, length);
        }
    }

    /// @param leastProofLength bytes of a proof that the input binding reads.
    function _checkCircuits(Circuit[] calldata circuits, uint256 leastProofLength) private pure {
        // Check: bounded, since the list is read as a whole.
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
