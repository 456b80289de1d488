// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {KeySetVerifier} from "../src/KeySetVerifier.sol";
import {AttestedAnswer, IAttestationVerifier} from "../src/interfaces/IAttestationVerifier.sol";
import {Base} from "./Base.t.sol";

/// @title Keys, key sets and evidence, as clients and enclaves make them
abstract contract KeySets is Base {
    /// @dev Half the order of secp256k1, and the order itself.
    uint256 internal constant N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    KeySetVerifier internal keySets = new KeySetVerifier();

    /// @notice `count` private keys whose addresses ascend.
    function sortedKeys(uint256 count, uint256 seed) internal pure returns (uint256[] memory keys) {
        keys = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 key = uint256(keccak256(abi.encode(seed, i)));
            uint256 at = i;
            for (; at != 0 && vm.addr(keys[at - 1]) > vm.addr(key); --at) {
                keys[at] = keys[at - 1];
            }
            keys[at] = key;
        }
    }

    function addressesOf(uint256[] memory keys) internal pure returns (address[] memory addresses) {
        addresses = new address[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            addresses[i] = vm.addr(keys[i]);
        }
    }

    function keySetOf(uint256 threshold, address[] memory keys) internal pure returns (bytes memory keySet) {
        keySet = abi.encodePacked(uint8(threshold), uint8(keys.length));
        for (uint256 i = 0; i < keys.length; ++i) {
            keySet = abi.encodePacked(keySet, keys[i]);
        }
    }

    function signerOf(uint256 index, uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(uint8(index), r, s, v);
    }

    /// @notice Evidence of the keys at the given indices.
    function evidenceOf(uint256 threshold, uint256[] memory keys, uint256[] memory indices, bytes32 digest)
        internal
        pure
        returns (bytes memory evidence)
    {
        evidence = keySetOf(threshold, addressesOf(keys));
        for (uint256 i = 0; i < indices.length; ++i) {
            evidence = bytes.concat(evidence, signerOf(indices[i], keys[indices[i]], digest));
        }
    }

    function anAnswer() internal pure returns (AttestedAnswer memory) {
        return AttestedAnswer({
            market: address(0xa11ce),
            requestId: 7,
            versionId: (1 << 32) | 3,
            inputDigest: keccak256("input"),
            outputDigest: keccak256("output"),
            executor: address(0xe1e)
        });
    }

    function list(uint256 a, uint256 b) internal pure returns (uint256[] memory indices) {
        indices = new uint256[](2);
        (indices[0], indices[1]) = (a, b);
    }

    function assertAccepted(bytes32 policy, AttestedAnswer memory answer, bytes memory evidence) internal view {
        bytes4 accepted = keySets.verifyAttestation(policy, answer, evidence);
        assertTrue(accepted == IAttestationVerifier.verifyAttestation.selector, "accepted");
    }
}
