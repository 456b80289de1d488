// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedAnswer} from "../../src/interfaces/IAttestationVerifier.sol";
import {IKeySetVerifier} from "../../src/interfaces/IKeySetVerifier.sol";
import {KeySets} from "../KeySets.t.sol";

contract KeySetVerifierTest is KeySets {
    uint256[] internal keys = sortedKeys(3, 1);
    AttestedAnswer internal answer = anAnswer();
    bytes32 internal policy = keySets.policyOf(2, addressesOf(keys));
    bytes32 internal digest = keySets.digestOf(answer);

    function test_everyPairOfThree() external view {
        assertAccepted(policy, answer, evidenceOf(2, keys, list(0, 1), digest));
        assertAccepted(policy, answer, evidenceOf(2, keys, list(0, 2), digest));
        assertAccepted(policy, answer, evidenceOf(2, keys, list(1, 2), digest));
    }

    function test_oneKeyAlone() external view {
        uint256[] memory one = sortedKeys(1, 2);
        uint256[] memory first = new uint256[](1);
        assertAccepted(keySets.policyOf(1, addressesOf(one)), answer, evidenceOf(1, one, first, digest));
    }

    /// @notice EIP-712 by hand, from the standard's words.
    function test_theDigestIsEip712s() external view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Gateless KeySetVerifier"),
                keccak256("1"),
                block.chainid,
                address(keySets)
            )
        );
        bytes32 message = keccak256(
            bytes.concat(
                keccak256(
                    "Attestation(address market,uint256 requestId,uint64 versionId,bytes32 inputDigest,bytes32 outputDigest,address executor)"
                ),
                abi.encode(
                    answer.market,
                    answer.requestId,
                    answer.versionId,
                    answer.inputDigest,
                    answer.outputDigest,
                    answer.executor
                )
            )
        );
        assertEq(digest, keccak256(abi.encodePacked(hex"1901", domain, message)), "digest");
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address verifying,,) =
            keySets.eip712Domain();
        assertTrue(fields == 0x0f, "ERC-5267 fields");
        assertEq(name, "Gateless KeySetVerifier", "name");
        assertEq(version, "1", "version");
        assertEq(chainId, block.chainid, "chain");
        assertEq(verifying, address(keySets), "contract");
    }

    function test_thePolicyIsTheKeySetsHash() external view {
        assertEq(policy, keccak256(keySetOf(2, addressesOf(keys))), "policy");
    }

    function test_refusesKeySetsThatAreNone() external {
        address[] memory addresses = addressesOf(keys);
        vm.expectRevert(abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_InvalidKeySet.selector, 0, 3));
        keySets.policyOf(0, addresses);
        vm.expectRevert(abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_InvalidKeySet.selector, 4, 3));
        keySets.policyOf(4, addresses);
        vm.expectRevert(abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_InvalidKeySet.selector, 1, 256));
        keySets.policyOf(1, new address[](256));
        (addresses[0], addresses[1]) = (addresses[1], addresses[0]);
        vm.expectRevert(abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_KeysNotAscending.selector, 1));
        keySets.policyOf(2, addresses);
        addresses[0] = address(0);
        vm.expectRevert(abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_KeysNotAscending.selector, 0));
        keySets.policyOf(2, addresses);
    }

    function test_refusesEvidenceOfAnotherLength() external {
        bytes memory evidence = evidenceOf(2, keys, list(0, 1), digest);
        uint256 right = evidence.length;
        bytes memory longer = bytes.concat(evidence, hex"00");
        vm.expectRevert(
            abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_EvidenceLength.selector, right + 1, right)
        );
        keySets.verifyAttestation(policy, answer, longer);
        assembly ("memory-safe") {
            mstore(evidence, sub(mload(evidence), 1))
        }
        vm.expectRevert(
            abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_EvidenceLength.selector, right - 1, right)
        );
        keySets.verifyAttestation(policy, answer, evidence);
        vm.expectRevert(abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_EvidenceLength.selector, 1, 2));
        keySets.verifyAttestation(policy, answer, hex"02");
        vm.expectRevert(abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_InvalidKeySet.selector, 0, 0));
        keySets.verifyAttestation(policy, answer, hex"0000");
        vm.expectRevert(abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_InvalidKeySet.selector, 2, 1));
        keySets.verifyAttestation(policy, answer, hex"0201");
    }

    function test_refusesAKeyThatIsNotInTheSet() external {
        bytes memory evidence =
            bytes.concat(keySetOf(2, addressesOf(keys)), signerOf(0, keys[0], digest), signerOf(3, keys[1], digest));
        vm.expectRevert(abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_UnknownKey.selector, 3, 3));
        keySets.verifyAttestation(policy, answer, evidence);
        evidence =
            bytes.concat(keySetOf(2, addressesOf(keys)), signerOf(0, keys[0], digest), signerOf(1, keys[2], digest));
        vm.expectRevert(
            abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_InvalidSignature.selector, 1, vm.addr(keys[1]))
        );
        keySets.verifyAttestation(policy, answer, evidence);
    }
}
