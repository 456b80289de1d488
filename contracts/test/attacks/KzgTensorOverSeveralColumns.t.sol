// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice A committed tensor of 300 elements in a circuit of 2^8 rows takes two columns, and a proof opens with a
/// commitment for each. A binding to the first 64 bytes leaves the elements of the second column to the executor. Key
/// and proofs are ezkl's own, made honestly.
contract KzgTensorOverSeveralColumnsAttack is Network {
    Fixture internal wide;
    uint64 internal versionId;

    function setUp() public override {
        super.setUp();
        loadFixture(wide, "kzg_two_columns");
        verifier.registerVka(wide.vka);
        vm.prank(builder);
        versionId = registry.publishVersion(modelId, publication(wide, ROYALTY_BPS));
    }

    function test_attack_paidWithAProofForAnotherInput() external {
        // Case 2 differs from case 0 in the second column only, so the first commitments are the same.
        assertTrue(keccak256(wide.cases[0].input) != keccak256(wide.cases[2].input), "another input");
        assertTrue(keccak256(wide.cases[0].output) != keccak256(wide.cases[2].output), "another output");
        assertEq(wide.cases[0].inputBinding, wide.cases[2].inputBinding, "the same first commitment");
        uint256 requestId = open(paramsFor(versionId, wide, 0));
        lockBy(executor, requestId);
        nextBlock();
        Money memory before = money();
        bytes memory output = wide.cases[2].output;
        bytes memory proof = wide.cases[2].proof;
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_TensorOverSeveralColumns.selector, 300, 256));
        vm.prank(executor);
        market.fulfill(requestId, 0, "", output, proof);
        assertUnchanged(before);
    }

    /// @notice Not even the honest proof is taken: what it proves cannot be told from the other.
    function test_attack_theHonestProofIsRefusedToo() external {
        bytes memory output = wide.cases[0].output;
        bytes memory proof = wide.cases[0].proof;
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_TensorOverSeveralColumns.selector, 300, 256));
        verifier.verify(versionId, 0, "", output, proof);
    }

    /// @notice The schema is the publisher's word: 247 elements are the most that pass at k = 8, for any input tensor.
    function test_theLastTensorThatFitsOneColumn() external {
        VersionParams memory params = publication(kzg, 0);
        params.ioSchema = abi.encodePacked(hex"0201", _tensor(4), _tensor(247), _tensor(3));
        vm.startPrank(builder);
        uint64 fits = registry.publishVersion(modelId, params);
        params.ioSchema = abi.encodePacked(hex"0201", _tensor(4), _tensor(248), _tensor(3));
        uint64 exceeds = registry.publishVersion(modelId, params);
        vm.stopPrank();
        bytes memory output = kzg.cases[0].output;
        bytes memory proof = kzg.cases[0].proof;
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector); // past the check; the pairs of words are no
        // proof
        verifier.verify(fits, 0, "", hex"000000000001", proof);
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_TensorOverSeveralColumns.selector, 248, 256));
        verifier.verify(exceeds, 0, "", hex"000000000001", proof);
        verifier.verify(kzgVersion, 0, "", output, proof);
    }

    /// @notice Public inputs are no commitments: a packed row may be as long as it likes in as few rows as it likes.
    function test_packedVersionsAreNotConcerned() external view {
        assertEq(uint256(packed.vka[5]), 8, "k");
        verifier.verify(packedVersion, 0, packed.cases[0].input, packed.cases[0].output, packed.cases[0].proof);
    }

    /// @notice A crafted key states whatever k it likes: none beyond the field's largest domain makes room.
    function test_attack_aCraftedK() external {
        uint256[5] memory crafted = [uint256(0), 29, 64, 256, type(uint256).max];
        for (uint256 i = 0; i < crafted.length; ++i) {
            uint256 rows = crafted[i] == 0 ? 1 : 0;
            _refusedFor(
                crafted[i], abi.encodeWithSelector(IZkVerifier.ZkVerifier_TensorOverSeveralColumns.selector, 300, rows)
            );
        }
        _refusedFor(28, abi.encodeWithSelector(IZkVerifier.ZkVerifier_ProofRejected.selector));
    }

    function _refusedFor(uint256 k, bytes memory encoded) private {
        bytes32[] memory words = wide.vka;
        words[5] = bytes32(k);
        VersionParams memory params = publication(wide, 0);
        params.circuits[0].vkaDigest = verifier.registerVka(words);
        vm.prank(builder);
        uint64 craftedVersion = registry.publishVersion(modelId, params);
        bytes memory output = wide.cases[0].output;
        bytes memory proof = wide.cases[0].proof;
        vm.expectRevert(encoded);
        verifier.verify(craftedVersion, 0, "", output, proof);
    }

    /// @dev Two bytes per element.
    function _tensor(uint32 count) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(2), int8(7), count);
    }
}
