// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IKeySetVerifier} from "../../src/interfaces/IKeySetVerifier.sol";
import {KeySets} from "../KeySets.t.sol";

/// @notice One key makes a quorum: its signature twice, in its other mathematical form, or its address twice in a set.
contract AttestationKeyCountedTwiceAttack is KeySets {
    uint256[] internal keys = sortedKeys(3, 1);
    bytes internal keySet = keySetOf(2, addressesOf(keys));
    bytes32 internal policy = keccak256(keySet);
    bytes32 internal digest = keySets.digestOf(anAnswer());

    function test_attack_theSameSignatureTwice() external {
        bytes memory signer = signerOf(1, keys[1], digest);
        vm.expectRevert(abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_SignersNotAscending.selector, 1));
        keySets.verifyAttestation(policy, anAnswer(), bytes.concat(keySet, signer, signer));
    }

    /// @notice (r, n - s) with the other v is a valid ECDSA signature of the same key too.
    function test_attack_theMirroredSignature() external {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[1], digest);
        bytes memory mirrored = abi.encodePacked(uint8(1), r, bytes32(N - uint256(s)), uint8(v == 27 ? 28 : 27));
        require(
            ecrecover(digest, v == 27 ? 28 : 27, r, bytes32(N - uint256(s))) == vm.addr(keys[1]), "it is valid itself"
        );
        vm.expectRevert(
            abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_InvalidSignature.selector, 1, vm.addr(keys[1]))
        );
        keySets.verifyAttestation(policy, anAnswer(), bytes.concat(keySet, signerOf(0, keys[0], digest), mirrored));
    }

    /// @notice v as 0 and 1, in the manner of some libraries.
    function test_attack_anotherSpellingOfV() external {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[1], digest);
        bytes memory spelled = abi.encodePacked(uint8(1), r, s, v - 27);
        vm.expectRevert(
            abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_InvalidSignature.selector, 1, vm.addr(keys[1]))
        );
        keySets.verifyAttestation(policy, anAnswer(), bytes.concat(keySet, signerOf(0, keys[0], digest), spelled));
    }

    function test_attack_inTheWrongOrder() external {
        bytes memory evidence = evidenceOf(2, keys, list(2, 0), digest);
        vm.expectRevert(abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_SignersNotAscending.selector, 1));
        keySets.verifyAttestation(policy, anAnswer(), evidence);
    }

    /// @notice A careless requester pins a set with one key in two places: nothing is final under it, rather than by
    /// one signature.
    function test_attack_oneKeyInTwoPlaces() external {
        address[] memory twice = new address[](2);
        (twice[0], twice[1]) = (vm.addr(keys[0]), vm.addr(keys[0]));
        bytes memory set = keySetOf(2, twice);
        bytes memory evidence = bytes.concat(set, signerOf(0, keys[0], digest), signerOf(1, keys[0], digest));
        vm.expectRevert(abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_KeysNotAscending.selector, 1));
        keySets.verifyAttestation(keccak256(set), anAnswer(), evidence);
    }

    /// @notice The zero address as a key, and a signature that recovers nothing.
    function test_attack_theKeyOfNobody() external {
        bytes memory set = keySetOf(1, new address[](1));
        bytes memory evidence = bytes.concat(set, abi.encodePacked(uint8(0), bytes32(0), bytes32(0), uint8(27)));
        vm.expectRevert(abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_KeysNotAscending.selector, 0));
        keySets.verifyAttestation(keccak256(set), anAnswer(), evidence);
    }
}
