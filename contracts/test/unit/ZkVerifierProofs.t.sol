// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ZkVerifier} from "../../src/ZkVerifier.sol";
import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {Circuit, CircuitRole, VersionParams} from "../../src/types/ModelTypes.sol";
import {Network} from "../Network.t.sol";

contract ZkVerifierProofsTest is Network {
    function test_acceptsEveryPackedFixture() external view {
        for (uint256 i = 0; i < packed.cases.length; ++i) {
            bytes32 binding = _verify(packedVersion, packed, i);
            assertEq(binding, keccak256(packed.cases[i].input), "bound to the packed input");
            assertEq(binding, packed.cases[i].inputBinding, "as computed off chain");
        }
    }

    function test_acceptsEveryKzgFixture() external view {
        for (uint256 i = 0; i < kzg.cases.length; ++i) {
            assertEq(_verify(kzgVersion, kzg, i), kzg.cases[i].inputBinding, "bound to the commitment");
        }
    }

    function test_kzgBindingIsTheHashOfTheFirst64Bytes() external view {
        bytes memory proof = kzg.cases[0].proof;
        bytes32 binding;
        assembly ("memory-safe") {
            binding := keccak256(add(proof, 0x20), 64)
        }
        assertEq(_verify(kzgVersion, kzg, 0), binding, "first 64 bytes");
    }

    function test_refusesOtherLengths() external {
        bytes memory input = packed.cases[0].input;
        bytes memory output = packed.cases[0].output;
        bytes memory proof = packed.cases[0].proof;
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_InputLength.selector, 9, 8));
        verifier.verify(packedVersion, 0, bytes.concat(input, hex"00"), output, proof);
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_InputLength.selector, 0, 8));
        verifier.verify(packedVersion, 0, "", output, proof);
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_OutputLength.selector, 13, 12));
        verifier.verify(packedVersion, 0, input, bytes.concat(output, hex"00"), proof);
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_OutputLength.selector, 0, 12));
        verifier.verify(packedVersion, 0, input, "", proof);
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_ProofLength.selector, 0, 1952));
        verifier.verify(packedVersion, 0, input, output, "");
        // Under KZG the input is in the proof and nowhere else.
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_InputLength.selector, 24, 0));
        verifier.verify(kzgVersion, 0, kzg.cases[0].input, kzg.cases[0].output, kzg.cases[0].proof);
    }

    function test_refusesAnUnknownKey() external {
        ZkVerifier fresh = new ZkVerifier(address(registry), halo2, developmentG2());
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_UnknownVka.selector, packed.vkaDigest));
        fresh.verify(packedVersion, 0, packed.cases[0].input, packed.cases[0].output, packed.cases[0].proof);
    }

    function test_refusesBatchCircuits() external {
        VersionParams memory params = publication(packed, 0);
        Circuit memory single = params.circuits[0];
        params.circuits = new Circuit[](2);
        params.circuits[0] = Circuit(packed.vkaDigest, CircuitRole.WHOLE, 8, packed.proofLength, 0, 0);
        params.circuits[1] = single;
        vm.prank(builder);
        uint64 versionId = registry.publishVersion(modelId, params);
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_UnsupportedBatch.selector, 8));
        verifier.verify(versionId, 0, packed.cases[0].input, packed.cases[0].output, packed.cases[0].proof);
        verifier.verify(versionId, 1, packed.cases[0].input, packed.cases[0].output, packed.cases[0].proof);
    }

    function test_refusesOneBitInAnyWordOfTheProof() external {
        bytes memory input = packed.cases[0].input;
        bytes memory output = packed.cases[0].output;
        bytes memory proof = packed.cases[0].proof;
        for (uint256 at = 31; at < proof.length; at += 32) {
            proof[at] ^= 0x01;
            vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
            verifier.verify(packedVersion, 0, input, output, proof);
            proof[at] ^= 0x01;
        }
        verifier.verify(packedVersion, 0, input, output, proof);
    }

    function test_refusesASchemaOfAnotherShapeForTheSameKey() external {
        // A publisher who states more outputs than the circuit has makes a version that nothing can answer.
        VersionParams memory params = publication(packed, 0);
        params.ioSchema = hex"0101020700000004040e00000004";
        vm.prank(builder);
        uint64 versionId = registry.publishVersion(modelId, params);
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        verifier.verify(
            versionId,
            0,
            packed.cases[0].input,
            bytes.concat(packed.cases[0].output, hex"00000000"),
            packed.cases[0].proof
        );
    }

    function _verify(uint64 versionId, Fixture storage fixture, uint256 index) private view returns (bytes32) {
        Case storage proven = fixture.cases[index];
        return verifier.verify(versionId, 0, provenInput(fixture, index), proven.output, proven.proof);
    }
}
