// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AttestedAnswer, IAttestationVerifier} from "./interfaces/IAttestationVerifier.sol";
import {IKeySetVerifier} from "./interfaces/IKeySetVerifier.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title Attestation by k of n keys
/// @notice Holds nothing and decides nothing but whether signatures are there. Who is believed is written in each
/// request. Keys are plain ECDSA keys, of enclaves say: no code is called.
contract KeySetVerifier is IKeySetVerifier, EIP712 {
    // solhint-disable-next-line gas-small-strings
    bytes32 private constant ATTESTATION_TYPE = keccak256(
        "Attestation(address market,uint256 requestId,uint64 versionId,bytes32 inputDigest,bytes32 outputDigest,address executor)"
    );
    uint256 private constant HEADER_LENGTH = 2;
    uint256 private constant KEY_LENGTH = 20;
    /// @dev r, s, v.
    uint256 private constant SIGNATURE_LENGTH = 65;
    /// @dev The key's index before its signature.
    uint256 private constant SIGNER_LENGTH = 1 + SIGNATURE_LENGTH;

    constructor() EIP712("Gateless KeySetVerifier", "1") {}

    /// @inheritdoc IAttestationVerifier
    function verifyAttestation(bytes32 policy, AttestedAnswer calldata answer, bytes calldata evidence)
        external
        view
        returns (bytes4)
    {
        // Check: the pinned key set, and room for exactly as many signatures as it asks for.
        bytes calldata keySet = _keySet(evidence);
        if (keccak256(keySet) != policy) revert KeySetVerifier_OtherKeySet(keccak256(keySet), policy);
        // Check: a key counts once, since indices ascend.
        bytes32 digest = digestOf(answer);
        bytes calldata signers = evidence[keySet.length:];
        uint256 threshold = uint8(keySet[0]);
        uint256 least;
        for (uint256 i = 0; i < threshold; ++i) {
            bytes calldata signer = signers[i * SIGNER_LENGTH:(i + 1) * SIGNER_LENGTH];
            uint256 index = uint8(signer[0]);
            if (index < least) revert KeySetVerifier_SignersNotAscending(i);
            least = index + 1;
            _requireSigned(digest, _key(keySet, index), i, signer[1:]);
        }
        return IAttestationVerifier.verifyAttestation.selector;
    }

    /// @inheritdoc IKeySetVerifier
    function policyOf(uint8 threshold, address[] calldata keys) external pure returns (bytes32) {
        // Check
        if (threshold == 0 || threshold > keys.length || keys.length > type(uint8).max) {
            revert KeySetVerifier_InvalidKeySet(threshold, keys.length);
        }
        bytes memory keySet = abi.encodePacked(threshold, uint8(keys.length));
        address last;
        for (uint256 i = 0; i < keys.length; ++i) {
            if (keys[i] <= last) revert KeySetVerifier_KeysNotAscending(i);
            last = keys[i];
            keySet = abi.encodePacked(keySet, last);
        }
        return keccak256(keySet);
    }

    /// @inheritdoc IKeySetVerifier
    function digestOf(AttestedAnswer calldata answer) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    ATTESTATION_TYPE,
                    answer.market,
                    answer.requestId,
                    answer.versionId,
                    answer.inputDigest,
                    answer.outputDigest,
                    answer.executor
                )
            )
        );
    }

    /// @dev The key set at the start of evidence of the right length.
    function _keySet(bytes calldata evidence) private pure returns (bytes calldata keySet) {
        // Check: k of n, and not a byte more or less.
        if (evidence.length < HEADER_LENGTH) revert KeySetVerifier_EvidenceLength(evidence.length, HEADER_LENGTH);
        (uint256 threshold, uint256 keys) = (uint8(evidence[0]), uint8(evidence[1]));
        if (threshold == 0 || threshold > keys) revert KeySetVerifier_InvalidKeySet(threshold, keys);
        uint256 setLength = HEADER_LENGTH + KEY_LENGTH * keys;
        uint256 expected = setLength + SIGNER_LENGTH * threshold;
        if (evidence.length != expected) revert KeySetVerifier_EvidenceLength(evidence.length, expected);
        keySet = evidence[:setLength];
        // Check: no key stands for two. Zero is no key: it is what a signature that recovers nothing would name.
        uint160 last;
        for (uint256 i = 0; i < keys; ++i) {
            uint160 key = uint160(_key(keySet, i));
            if (key <= last) revert KeySetVerifier_KeysNotAscending(i);
            last = key;
        }
    }

    function _key(bytes calldata keySet, uint256 index) private pure returns (address) {
        uint256 keys = uint8(keySet[1]);
        // Check
        if (index >= keys) revert KeySetVerifier_UnknownKey(index, keys);
        uint256 at = HEADER_LENGTH + KEY_LENGTH * index;
        return address(bytes20(keySet[at:at + KEY_LENGTH]));
    }

    /// @dev One key and digest have one signature form: OpenZeppelin refuses the upper half of s and v other than 27
    /// and 28.
    function _requireSigned(bytes32 digest, address key, uint256 position, bytes calldata signature) private pure {
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem != ECDSA.RecoverError.NoError || recovered != key) {
            revert KeySetVerifier_InvalidSignature(position, key);
        }
    }
}
