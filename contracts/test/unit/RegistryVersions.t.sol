// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {Circuit, CircuitRole, InputBinding, ProofTarget, Version, VersionParams} from "../../src/types/ModelTypes.sol";
import {Network} from "../Network.t.sol";

contract RegistryVersionsTest is Network {
    function test_publishesAndReadsBackEverything() external {
        VersionParams memory params = publication(packed, 250);
        uint64 expected = uint64((modelId << 32) | 2);
        vm.expectEmit(address(registry));
        emit IModelRegistry.VersionPublished(expected, modelId, builder, params);
        vm.expectEmit(address(registry));
        emit IModelRegistry.AliasSet(modelId, "latest", expected);
        vm.prank(builder);
        uint64 versionId = registry.publishVersion(modelId, params);

        assertEq(versionId, expected, "id");
        assertEq(registry.modelOf(versionId), modelId, "model");
        Version memory version = registry.version(versionId);
        assertEq(version.modelDigest, params.modelDigest, "model digest");
        assertEq(version.manifestDigest, params.manifestDigest, "manifest digest");
        assertEq(version.circuitsHash, keccak256(abi.encode(params.circuits)), "circuits hash");
        assertEq(version.publishedAt, block.timestamp, "time");
        assertEq(version.royaltyBps, 250, "royalty");
        assertEq(version.modes, ZK, "modes");
        assertEq(uint256(version.binding), uint256(InputBinding.PACKED), "binding");
        assertEq(version.circuitCount, 1, "circuits");
        assertEq(version.proofSeconds, PROOF_SECONDS, "proof time");
        assertTrue(version.repeatable, "repeatable");
        assertFalse(version.deprecated, "deprecated");
        assertEq(registry.ioSchema(versionId), params.ioSchema, "schema");
        assertEq(registry.uri(versionId), params.uri, "uri");
        assertEq(abi.encode(registry.circuit(versionId, 0)), abi.encode(params.circuits[0]), "circuit");
        assertEq(abi.encode(registry.circuits(versionId)), abi.encode(params.circuits), "circuits");
        assertEq(registry.resolveAlias(modelId, "latest"), versionId, "latest");
        assertEq(registry.versionCount(modelId), 3, "count");
        assertEq(registry.tokenURI(modelId), params.uri, "token URI");
    }

    function test_proofTargetIsWhatTheVerifierNeeds() external view {
        ProofTarget memory target = registry.proofTarget(kzgVersion, 0);
        assertEq(target.vkaDigest, kzg.vkaDigest, "key");
        assertEq(target.batchSize, 1, "batch");
        assertEq(target.proofLength, kzg.proofLength, "length");
        assertEq(target.digitBits, 0, "no digits");
        assertEq(target.digitsPerWord, 0, "no digits in words");
        assertEq(uint256(target.binding), uint256(InputBinding.KZG), "binding");
        assertEq(target.ioSchema, kzg.ioSchema, "schema");
    }

    function test_onlyTheHolderPublishes() external {
        VersionParams memory params = publication(packed, 0);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_NotHolder.selector, modelId, stranger));
        vm.prank(stranger);
        registry.publishVersion(modelId, params);
        // An approved operator may move the token, not speak for the model.
        vm.prank(builder);
        registry.approve(stranger, modelId);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_NotHolder.selector, modelId, stranger));
        vm.prank(stranger);
        registry.publishVersion(modelId, params);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_UnknownModel.selector, 9));
        registry.publishVersion(9, params);
    }

    function test_refusesZeroDigests() external {
        VersionParams memory params = publication(packed, 0);
        params.modelDigest = 0;
        _refused(params, abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidDigest.selector));
        params = publication(packed, 0);
        params.manifestDigest = 0;
        _refused(params, abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidDigest.selector));
    }

    function test_refusesUnknownOrNoModes() external {
        VersionParams memory params = publication(packed, 0);
        uint8[4] memory bad = [0, 16, 17, 255];
        for (uint256 i = 0; i < bad.length; ++i) {
            params.modes = bad[i];
            _refused(params, abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidModes.selector, bad[i]));
        }
        params.modes = 15;
        _accepted(params);
    }

    function test_refusesRoyaltyAboveTheCap() external {
        uint16 cap = registry.MAX_ROYALTY_BPS();
        assertEq(cap, 5000, "cap");
        VersionParams memory params = publication(packed, cap + 1);
        _refused(params, abi.encodeWithSelector(IModelRegistry.ModelRegistry_RoyaltyTooHigh.selector, cap + 1, cap));
        params.royaltyBps = cap;
        _accepted(params);
    }

    function test_refusesALongUri() external {
        VersionParams memory params = publication(packed, 0);
        params.uri = string(new bytes(513));
        _refused(params, abi.encodeWithSelector(IModelRegistry.ModelRegistry_UriTooLong.selector, 513, 512));
        params.uri = string(new bytes(512));
        _accepted(params);
    }

    function test_refusesMalformedSchemas() external {
        bytes[12] memory bad = [
            bytes(hex""),
            hex"01",
            hex"0101",
            hex"0001040e00000003", // no input
            hex"0100040e00000003", // no output
            hex"0101020700000004040e000000", // a byte short
            hex"0101020700000004040e0000000300", // a byte long
            hex"0101020700000004040e00000000", // no element
            hex"0101000700000004040e00000003", // width 0
            hex"0101030700000004040e00000003", // width 3
            hex"0101110700000004040e00000003", // width 17
            hex"0101ff0700000004040e00000003" // width 255
        ];
        VersionParams memory params = publication(packed, 0);
        for (uint256 i = 0; i < bad.length; ++i) {
            params.ioSchema = bad[i];
            _refused(params, abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidSchema.selector));
        }
        params.ioSchema = hex"0201108000000001010000001ffb080700000004";
        _accepted(params);
    }

    function test_refusesAnOverlongSchema() external {
        VersionParams memory params = publication(packed, 0);
        // 200 tensors are well-formed, but every verification would have to read them.
        bytes memory schema = hex"64c7";
        for (uint256 i = 0; i < 100 + 199; ++i) {
            schema = bytes.concat(schema, hex"010000000001");
        }
        params.ioSchema = schema;
        _refused(params, abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidSchema.selector));
    }

    function test_refusesBadCircuits() external {
        VersionParams memory params = publication(packed, 0);
        params.circuits[0].vkaDigest = 0;
        _refusedCircuits(params);
        params = publication(packed, 0);
        params.circuits[0].batchSize = 0;
        _refusedCircuits(params);
        params = publication(packed, 0);
        params.circuits[0].proofLength = 0;
        _refusedCircuits(params);
        params = publication(packed, 0);
        params.circuits[0].proofLength = 1951; // not whole words
        _refusedCircuits(params);
        params = publication(packed, 0);
        params.circuits = new Circuit[](0); // ZK needs one
        _refusedCircuits(params);
        params.modes = 2; // so does LAZY_ZK
        _refusedCircuits(params);
        params.modes = 12; // QUORUM and ATTESTED do not
        params.proofSeconds = 0;
        _accepted(params);
    }

    function test_statesTheTimeOfAProofExactlyWhereThereIsACircuit() external {
        VersionParams memory params = publication(packed, 0);
        params.proofSeconds = 0;
        _refused(params, abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidProofSeconds.selector, 0));
        params.proofSeconds = type(uint32).max;
        uint64 versionId = _accepted(params);
        assertEq(registry.version(versionId).proofSeconds, type(uint32).max, "as stated");
        // Without a circuit there is nothing to time.
        params.circuits = new Circuit[](0);
        params.modes = 12;
        params.proofSeconds = 1;
        _refused(params, abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidProofSeconds.selector, 1));
        params.proofSeconds = 0;
        _accepted(params);
    }

    function test_refusesQuorumsOverWhatDoesNotRepeat() external {
        VersionParams memory params = publication(packed, 0);
        params.repeatable = false;
        for (uint8 modes = 1; modes < 16; ++modes) {
            params.modes = modes;
            if (modes & 4 == 0) assertFalse(registry.version(_accepted(params)).repeatable, "as stated");
            else _refused(params, abi.encodeWithSelector(IModelRegistry.ModelRegistry_NotRepeatable.selector));
        }
        // What repeats need not allow quorums.
        params.repeatable = true;
        params.modes = 1;
        assertTrue(registry.version(_accepted(params)).repeatable, "as stated");
    }

    function test_refusesAProofTooShortForItsCommitments() external {
        VersionParams memory params = publication(kzg, 0);
        params.ioSchema = hex"0201020700000004020700000004040e00000003"; // two inputs: two commitments of 64 bytes
        params.circuits[0].proofLength = 96;
        _refusedCircuits(params);
        params.circuits[0].proofLength = 128;
        _accepted(params);
    }

    function test_refusesTwoCircuitsOfOneRoleAndBatch() external {
        VersionParams memory params = publication(packed, 0);
        params.circuits = new Circuit[](3);
        for (uint32 i = 0; i < 3; ++i) {
            params.circuits[i] = Circuit(keccak256(abi.encode(i)), CircuitRole.WHOLE, i + 1, 64, 0, 0);
        }
        _accepted(params);
        params.circuits[2].batchSize = 1;
        _refusedCircuits(params);
    }

    function test_refusesTooManyCircuits() external {
        VersionParams memory params = publication(packed, 0);
        params.circuits = new Circuit[](65);
        for (uint32 i = 0; i < 65; ++i) {
            params.circuits[i] = Circuit(keccak256(abi.encode(i)), CircuitRole.WHOLE, i + 1, 64, 0, 0);
        }
        _refusedCircuits(params);
    }

    function test_refusesVersionsBeyondTheIdSpace() external {
        // The counter's slot, found by what it changes: a moved layout fails here rather than passing.
        bool found;
        for (uint256 base = 0; base < 32 && !found; ++base) {
            bytes32 slot = bytes32(uint256(keccak256(abi.encode(modelId, base))) + 1);
            if (vm.load(address(registry), slot) != bytes32(uint256(2))) continue;
            vm.store(address(registry), slot, bytes32(uint256(type(uint32).max)));
            found = registry.versionCount(modelId) == type(uint32).max;
        }
        assertTrue(found, "the counter's slot");
        _refused(
            publication(packed, 0),
            abi.encodeWithSelector(IModelRegistry.ModelRegistry_TooManyVersions.selector, modelId)
        );
    }

    function test_unknownVersions() external {
        uint64 unknown = uint64((modelId << 32) | 77);
        bytes memory encoded = abi.encodeWithSelector(IModelRegistry.ModelRegistry_UnknownVersion.selector, unknown);
        vm.expectRevert(encoded);
        registry.version(unknown);
        vm.expectRevert(encoded);
        registry.ioSchema(unknown);
        vm.expectRevert(encoded);
        registry.uri(unknown);
        vm.expectRevert(encoded);
        registry.circuit(unknown, 0);
        vm.expectRevert(encoded);
        registry.circuits(unknown);
        vm.expectRevert(encoded);
        registry.proofTarget(unknown, 0);
        vm.expectRevert(encoded);
        registry.setDeprecated(unknown, true, "");
        vm.expectRevert(encoded);
        vm.prank(builder);
        registry.setAlias(modelId, "stable", unknown);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_UnknownCircuit.selector, packedVersion, 1));
        registry.circuit(packedVersion, 1);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_UnknownCircuit.selector, packedVersion, 1));
        registry.proofTarget(packedVersion, 1);
    }

    function test_deprecationIsAdvice() external {
        vm.expectEmit(address(registry));
        emit IModelRegistry.VersionDeprecated(packedVersion, true, "accuracy");
        vm.prank(builder);
        registry.setDeprecated(packedVersion, true, "accuracy");
        assertTrue(registry.version(packedVersion).deprecated, "advised against");
        // It forbids nothing.
        uint256 requestId = openLocked();
        fulfillBy(executor, requestId, packed, 0);

        vm.prank(builder);
        registry.setDeprecated(packedVersion, false, "");
        assertFalse(registry.version(packedVersion).deprecated, "advice withdrawn");
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_NotHolder.selector, modelId, stranger));
        vm.prank(stranger);
        registry.setDeprecated(packedVersion, true, "");
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_ReasonTooLong.selector, 513, 512));
        vm.prank(builder);
        registry.setDeprecated(packedVersion, true, string(new bytes(513)));
    }

    function test_aliases() external {
        vm.expectEmit(address(registry));
        emit IModelRegistry.AliasSet(modelId, "stable", packedVersion);
        vm.startPrank(builder);
        registry.setAlias(modelId, "stable", packedVersion);
        assertEq(registry.resolveAlias(modelId, "stable"), packedVersion, "first version, index zero");
        registry.setAlias(modelId, "latest", packedVersion);
        assertEq(registry.resolveAlias(modelId, "latest"), packedVersion, "latest may be moved back");
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidName.selector, "Stable"));
        registry.setAlias(modelId, "Stable", packedVersion);
        uint256 other = registry.registerModel("other");
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.ModelRegistry_VersionOfOtherModel.selector, packedVersion, other)
        );
        registry.setAlias(other, "stable", packedVersion);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_UnknownAlias.selector, modelId, "nightly"));
        registry.resolveAlias(modelId, "nightly");
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_UnknownAlias.selector, other, "latest"));
        registry.resolveAlias(other, "latest");
    }

    function test_pagesOfVersions() external view {
        uint64[] memory page = registry.versions(modelId, 0, 1);
        assertEq(page.length, 1, "page");
        assertEq(page[0], packedVersion, "first");
        page = registry.versions(modelId, 1, 100);
        assertEq(page.length, 1, "short page");
        assertEq(page[0], kzgVersion, "second");
        assertEq(registry.versions(modelId, 2, 1).length, 0, "past the end");
    }

    function _accepted(VersionParams memory params) private returns (uint64 versionId) {
        vm.prank(builder);
        return registry.publishVersion(modelId, params);
    }

    function _refused(VersionParams memory params, bytes memory encoded) private {
        uint256 count = registry.versionCount(modelId);
        vm.expectRevert(encoded);
        vm.prank(builder);
        registry.publishVersion(modelId, params);
        assertEq(registry.versionCount(modelId), count, "nothing published");
    }

    function _refusedCircuits(VersionParams memory params) private {
        _refused(params, abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidCircuits.selector));
    }
}
