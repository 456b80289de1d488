// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {Circuit, CircuitRole, ProofTarget, TrustMode, VersionParams} from "../../src/types/ModelTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @title Batches and digits of circuits, as the registry takes them
contract RegistryCircuitsTest is BatchNetwork {
    function test_keepsBatchAndDigits() external view {
        Circuit memory pinned = registry.circuit(batchVersion, BATCH);
        assertEq(abi.encode(pinned), abi.encode(circuitOf(batch)), "as published");
        assertEq(abi.encode(registry.circuits(batchVersion)[BATCH]), abi.encode(pinned), "in the list");
        assertEq(registry.circuits(batchVersion).length, 2, "both");
        ProofTarget memory target = registry.proofTarget(batchVersion, BATCH);
        assertEq(target.vkaDigest, batch.vkaDigest, "key");
        assertEq(target.batchSize, 4, "rows");
        assertEq(target.proofLength, batch.proofLength, "length");
        assertEq(target.digitBits, 32, "bits");
        assertEq(target.digitsPerWord, 6, "digits");
        assertEq(target.ioSchema, packed.ioSchema, "one schema for all circuits");
    }

    function test_digitsAndTheirNumberGoTogether() external {
        _refused(0, 1);
        _refused(32, 0);
        _accepted(0, 0);
        _accepted(32, 1);
    }

    /// @notice The schema's widest tensor has 4 bytes: fewer bits would let one digit run into the next.
    function test_digitsHoldEveryTensorsValues() external {
        _refused(31, 7);
        _refused(16, 4);
        _refused(1, 1);
        _accepted(32, 7);
        _accepted(33, 7);
    }

    function test_wordsStayBelowTheField() external {
        _refused(32, 8); // 256
        _refused(127, 2); // 254: one bit more than is safe
        _refused(254, 1);
        _refused(type(uint16).max, type(uint16).max);
        _accepted(126, 2);
        _accepted(253, 1);
        _accepted(36, 7);
    }

    function test_committedInputsTakeNoDigits() external {
        VersionParams memory params = publication(kzg, 0);
        (params.circuits[0].digitBits, params.circuits[0].digitsPerWord) = (32, 7);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidDigits.selector, 0, 32, 7));
        vm.prank(builder);
        registry.publishVersion(modelId, params);
    }

    function test_everyCircuitIsChecked() external {
        VersionParams memory params = publication(packed, 0);
        Circuit memory single = params.circuits[0];
        params.circuits = new Circuit[](3);
        params.circuits[0] = single;
        params.circuits[1] = circuitOf(batch);
        params.circuits[2] = Circuit(batch.vkaDigest, CircuitRole.WHOLE, 8, 64, 31, 7);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidDigits.selector, 2, 31, 7));
        vm.prank(builder);
        registry.publishVersion(modelId, params);
    }

    function test_aProofHasALongestLength() external {
        VersionParams memory params = publication(packed, 0);
        params.circuits[0].proofLength = 12_288;
        vm.prank(builder);
        registry.publishVersion(modelId, params);
        params.circuits[0].proofLength = 12_288 + 32;
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_ProofTooLong.selector, 0, 12_320));
        vm.prank(builder);
        registry.publishVersion(modelId, params);
        // Where no mode needs a proof nobody waits for one.
        params.modes = uint8(1 << uint8(TrustMode.QUORUM));
        vm.prank(builder);
        registry.publishVersion(modelId, params);
    }

    function _accepted(uint16 digitBits, uint16 digitsPerWord) private {
        VersionParams memory params = publication(packed, 0);
        (params.circuits[0].digitBits, params.circuits[0].digitsPerWord) = (digitBits, digitsPerWord);
        vm.prank(builder);
        uint64 versionId = registry.publishVersion(modelId, params);
        assertEq(registry.circuit(versionId, 0).digitBits, digitBits, "bits");
        assertEq(registry.circuit(versionId, 0).digitsPerWord, digitsPerWord, "digits");
    }

    function _refused(uint16 digitBits, uint16 digitsPerWord) private {
        VersionParams memory params = publication(packed, 0);
        (params.circuits[0].digitBits, params.circuits[0].digitsPerWord) = (digitBits, digitsPerWord);
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidDigits.selector, 0, digitBits, digitsPerWord)
        );
        vm.prank(builder);
        registry.publishVersion(modelId, params);
    }
}
