// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice How an output becomes final. A set of modes is a bitmask: bit `1 << uint8(mode)`.
enum TrustMode {
    ZK,
    LAZY_ZK,
    QUORUM,
    ATTESTED
}

/// @notice What ties a proof to the input of a request.
/// @dev `PACKED`: the packed input itself, re-hashed on chain. `KZG`: the commitments with which the proof
/// opens, two words for each input tensor.
enum InputBinding {
    PACKED,
    KZG
}

/// @notice What a circuit of a version computes. Segments of a model may follow as further roles.
enum CircuitRole {
    WHOLE
}

/// @notice One proving circuit of a version.
/// @param vkaDigest keccak256 of the words of ezkl's verifying-key artifact (VKA).
/// @param role what the circuit computes.
/// @param batchSize inferences (rows) that one proof covers.
/// @param proofLength exact length of a proof in bytes; any other length is refused.
/// @param digitBits bits of a digit where the circuit's public words are dense; zero where each public value is a word
/// of its own. See `PublicWords`.
/// @param digitsPerWord values in one dense word; zero where `digitBits` is.
struct Circuit {
    bytes32 vkaDigest;
    CircuitRole role;
    uint32 batchSize;
    uint32 proofLength;
    uint16 digitBits;
    uint16 digitsPerWord;
}

/// @notice Everything that a publisher states about a version. Immutable once published.
/// @param modelDigest sha256 of the ONNX file.
/// @param manifestDigest sha256 of the manifest.
/// @param ioSchema packed tensor list, see `IoSchema`.
/// @param binding how inputs are bound to proofs.
/// @param modes bitmask of allowed trust modes.
/// @param royaltyBps royalty of the price, in basis points.
/// @param proofSeconds measured time to prove one inference on the publisher's machine, in seconds rounded up; zero
/// exactly where there is no circuit. Requests that are proven only when doubted must leave at least this long.
/// @param repeatable whether the outputs of the model were equal to the byte whenever it was run under the options that
/// the manifest records. `QUORUM`, which compares bytes, needs it.
/// @param circuits the pinned circuits; may be empty only where no mode needs one.
/// @param uri where the bundle can be fetched; a hint, the digests decide.
struct VersionParams {
    bytes32 modelDigest;
    bytes32 manifestDigest;
    bytes ioSchema;
    InputBinding binding;
    uint8 modes;
    uint16 royaltyBps;
    uint32 proofSeconds;
    bool repeatable;
    Circuit[] circuits;
    string uri;
}

/// @notice A published version as stored.
/// @param circuitsHash keccak256(abi.encode(circuits)).
/// @param publishedAt block timestamp of the publication, seconds; zero means the version does not exist.
/// @param deprecated advice of the model's holder not to use the version; forbids nothing.
struct Version {
    bytes32 modelDigest;
    bytes32 manifestDigest;
    bytes32 circuitsHash;
    uint64 publishedAt;
    uint16 royaltyBps;
    uint8 modes;
    InputBinding binding;
    uint16 circuitCount;
    uint32 proofSeconds;
    bool repeatable;
    bool deprecated;
}

/// @notice What the verification of one circuit of a version needs, in one read.
struct ProofTarget {
    bytes32 vkaDigest;
    uint32 batchSize;
    uint32 proofLength;
    uint16 digitBits;
    uint16 digitsPerWord;
    InputBinding binding;
    bytes ioSchema;
}
