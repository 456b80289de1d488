// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedAnswer, IAttestationVerifier} from "./IAttestationVerifier.sol";

/// @title Attestation by k of n keys
/// @notice A key set is `[threshold u8][keys u8]` and the keys' addresses, 20 bytes each, strictly ascending; a policy
/// is its keccak256. Evidence is the key set, then for exactly `threshold` of its keys, in their order, the key's index
/// (u8) and its signature (r, s, v: 65 bytes): nothing before, between or after.
interface IKeySetVerifier is IAttestationVerifier {
    error KeySetVerifier_InvalidKeySet(uint256 threshold, uint256 keys);
    error KeySetVerifier_KeysNotAscending(uint256 index);
    error KeySetVerifier_EvidenceLength(uint256 length, uint256 expected);
    error KeySetVerifier_OtherKeySet(bytes32 given, bytes32 pinned);
    error KeySetVerifier_UnknownKey(uint256 index, uint256 keys);
    error KeySetVerifier_SignersNotAscending(uint256 position);
    error KeySetVerifier_InvalidSignature(uint256 position, address key);

    /// @notice The policy of a key set, for whoever makes requests.
    /// @param keys strictly ascending; 1 to 255 of them.
    function policyOf(uint8 threshold, address[] calldata keys) external pure returns (bytes32 policy);

    /// @notice What the keys sign: EIP-712, of type `Attestation(address market,uint256 requestId,uint64 versionId,
    /// bytes32 inputDigest,bytes32 outputDigest,address executor)`, in the domain of this chain and this contract
    /// (`eip712Domain`).
    function digestOf(AttestedAnswer calldata answer) external view returns (bytes32 digest);
}
