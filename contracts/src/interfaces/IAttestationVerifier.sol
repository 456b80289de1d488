// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice What is attested: that one version, given one input, put out this, in answer to one request.
/// @param market contract that keeps the request.
/// @param requestId the request's number there.
/// @param versionId the version that the request pins.
/// @param inputDigest keccak256 of the packed input.
/// @param outputDigest keccak256 of the packed output.
/// @param executor who brings the answer and is paid for it: evidence that somebody else copies is worthless.
struct AttestedAnswer {
    address market;
    uint256 requestId;
    uint64 versionId;
    bytes32 inputDigest;
    bytes32 outputDigest;
    address executor;
}

/// @title Checks attested answers
/// @notice The seam of trust mode `ATTESTED`: a request pins a verifier and a policy, and an answer is final when that
/// verifier accepts its evidence under that policy. Signatures of keys today, attestation formats of vendors later.
/// @dev A market passes its own address as `answer.market` and its caller as `answer.executor`, and compares the
/// returned value: a contract that answers every call accepts nothing by that.
interface IAttestationVerifier {
    /// @notice Reverts unless `evidence` shows the answer under `policy`, for this chain.
    /// @param policy what the request pins: the digest of whatever decides who is believed.
    /// @return accepted this function's selector.
    function verifyAttestation(bytes32 policy, AttestedAnswer calldata answer, bytes calldata evidence)
        external
        view
        returns (bytes4 accepted);
}
