// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedAnswer, IAttestationVerifier} from "../../src/interfaces/IAttestationVerifier.sol";
import {KeySets} from "../KeySets.t.sol";

contract KeySetVerifierFuzz is KeySets {
    /// @notice Any k of any n keys, for any answer.
    function testFuzz_anyKOfN(uint256 seed, uint8 size, uint8 threshold, AttestedAnswer memory answer) external view {
        uint256 count = bound(size, 1, 12);
        uint256 least = bound(threshold, 1, count);
        uint256[] memory keys = sortedKeys(count, seed);
        bytes memory evidence = evidenceOf(least, keys, _pick(seed, count, least), keySets.digestOf(answer));
        assertAccepted(keySets.policyOf(uint8(least), addressesOf(keys)), answer, evidence);
    }

    /// @notice One bit of the evidence is another: nothing is accepted.
    function testFuzz_noBitOfTheEvidenceIsFree(uint256 seed, uint256 bit) external view {
        uint256[] memory keys = sortedKeys(4, seed);
        bytes memory evidence = evidenceOf(3, keys, _pick(seed, 4, 3), keySets.digestOf(anAnswer()));
        bytes32 policy = keySets.policyOf(3, addressesOf(keys));
        assertAccepted(policy, anAnswer(), evidence);
        bit = bound(bit, 0, evidence.length * 8 - 1);
        evidence[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        _assertRefused(policy, anAnswer(), evidence);
    }

    /// @notice One bit of the answer or of the policy is another: nothing is accepted.
    function testFuzz_noBitOfTheAnswerIsFree(uint256 seed, uint256 field, uint256 bit) external view {
        uint256[] memory keys = sortedKeys(3, seed);
        bytes memory evidence = evidenceOf(2, keys, _pick(seed, 3, 2), keySets.digestOf(anAnswer()));
        bytes32 policy = keySets.policyOf(2, addressesOf(keys));
        AttestedAnswer memory other = anAnswer();
        bytes32 flip = bytes32(1 << (bit % 256));
        field = field % 7;
        if (field == 0) other.market = address(uint160(other.market) ^ uint160(1 << (bit % 160)));
        else if (field == 1) other.requestId ^= uint256(flip);
        else if (field == 2) other.versionId ^= uint64(1 << (bit % 64));
        else if (field == 3) other.inputDigest ^= flip;
        else if (field == 4) other.outputDigest ^= flip;
        else if (field == 5) other.executor = address(uint160(other.executor) ^ uint160(1 << (bit % 160)));
        else policy ^= flip;
        _assertRefused(policy, other, evidence);
    }

    /// @notice Bytes that nobody signed, of any shape.
    function testFuzz_noiseIsRefused(bytes32 policy, bytes calldata evidence) external view {
        _assertRefused(policy, anAnswer(), evidence);
        _assertRefused(keccak256(evidence), anAnswer(), evidence);
    }

    function _assertRefused(bytes32 policy, AttestedAnswer memory answer, bytes memory evidence) private view {
        (bool accepted,) = address(keySets)
            .staticcall(abi.encodeCall(IAttestationVerifier.verifyAttestation, (policy, answer, evidence)));
        assertFalse(accepted, "accepted");
    }

    /// @dev `least` of `count` indices, ascending.
    function _pick(uint256 seed, uint256 count, uint256 least) private pure returns (uint256[] memory indices) {
        indices = new uint256[](least);
        uint256 taken;
        for (uint256 i = 0; i < count && taken < least; ++i) {
            bool needed = count - i == least - taken;
            if (needed || uint256(keccak256(abi.encode(seed, i, "pick"))) % 2 == 0) indices[taken++] = i;
        }
    }
}
