// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice A request for an answer that keys vouch for, sent or signed. Its id is its EIP-712 digest.
/// @param requester who asks, and from whose balance it is paid.
/// @param versionId pinned version; it must allow `ATTESTED`.
/// @param inputDigest keccak256 of the packed input.
/// @param inputBinding the same: no proof ties anything else to the answer.
/// @param maxPrice most that is paid, in token units, royalty included; below 2^88.
/// @param minPrice price until the ramp starts, below `maxPrice`; zero where there is no ramp.
/// @param rampStart second from which the price rises in a straight line; zero where there is no ramp.
/// @param rampLength seconds until it reaches `maxPrice`; zero for no ramp, where `maxPrice` is the price.
/// @param deadline last second for an answer.
/// @param verifier contract that decides whether evidence is enough; see `IAttestationVerifier`.
/// @param policy what it decides by: the digest of a key set, say.
/// @param executor only this account may answer; zero lets anybody whom the evidence names.
/// @param callback contract that receives the output; zero for none.
/// @param callbackGas gas given to the callback.
/// @param nonce any number that the requester has not used.
/// @param inputHint where the input's bytes can be fetched; may be empty.
struct AttestedRequest {
    address requester;
    uint64 versionId;
    bytes32 inputDigest;
    bytes32 inputBinding;
    uint128 maxPrice;
    uint128 minPrice;
    uint64 rampStart;
    uint32 rampLength;
    uint64 deadline;
    address verifier;
    bytes32 policy;
    address executor;
    address callback;
    uint32 callbackGas;
    uint256 nonce;
    string inputHint;
}

/// @notice What a request has come to. OPEN -> FINAL or REFUNDED; a signed one goes from NONE to FINAL at once.
/// @dev The numbers of the stored record.
enum AttestedState {
    NONE,
    FINAL,
    OPEN,
    REFUNDED
}
