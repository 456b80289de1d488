// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

contract ZkVerifierBatchTest is BatchNetwork {
    Fixture internal plain;
    Fixture internal dense;
    uint64 internal plainVersion;
    uint64 internal denseVersion;

    function setUp() public override {
        super.setUp();
        loadFixture(plain, "batch4_plain");
        loadFixture(dense, "dense");
        verifier.registerVka(plain.vka);
        verifier.registerVka(dense.vka);
        vm.startPrank(builder);
        plainVersion = registry.publishVersion(modelId, batchPublication(plain));
        denseVersion = registry.publishVersion(modelId, publication(dense, ROYALTY_BPS));
        vm.stopPrank();
    }

    function test_acceptsEveryBatchAndBindsEveryRow() external view {
        for (uint256 i = 0; i < batch.cases.length; ++i) {
            _checkBindings(_verify(batchVersion, batch.cases[i]), batch.cases[i].input);
            _checkBindings(_verify(plainVersion, plain.cases[i]), plain.cases[i].input);
        }
    }

    /// @notice The three fixtures are one network: dense, plain, four rows or one, all say the same.
    function test_allCircuitsOfTheNetworkAgree() external view {
        for (uint256 row = 0; row < ROWS; ++row) {
            assertEq(outputOf(row), packed.cases[row].output, "dense");
            assertEq(rowOf(plain.cases[0].output, ROWS, row), packed.cases[row].output, "plain");
        }
        assertEq(dense.cases[0].output, packed.cases[0].output, "one dense row");
    }

    function test_acceptsOneDenseRow() external view {
        for (uint256 i = 0; i < dense.cases.length; ++i) {
            Case storage proven = dense.cases[i];
            bytes32 binding = verifier.verify(denseVersion, 0, proven.input, proven.output, proven.proof);
            assertEq(binding, proven.inputBinding, "as computed off chain");
            assertEq(binding, keccak256(proven.input), "bound to the packed input");
        }
    }

    /// @notice A batch of one row is a batch, too.
    function test_verifyBatchTakesOneRow() external view {
        Case storage proven = dense.cases[0];
        bytes32[] memory bindings = verifier.verifyBatch(denseVersion, 0, proven.input, proven.output, proven.proof);
        assertEq(bindings.length, 1, "one row");
        assertEq(bindings[0], keccak256(proven.input), "bound");
    }

    function test_refusesOtherLengths() external {
        Case memory proven = batch.cases[0];
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_InputLength.selector, 33, 32));
        verifier.verifyBatch(batchVersion, BATCH, bytes.concat(proven.input, hex"00"), proven.output, proven.proof);
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_InputLength.selector, 8, 32));
        verifier.verifyBatch(batchVersion, BATCH, packed.cases[0].input, proven.output, proven.proof);
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_OutputLength.selector, 49, 48));
        verifier.verifyBatch(batchVersion, BATCH, proven.input, bytes.concat(proven.output, hex"00"), proven.proof);
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_ProofLength.selector, 0, batch.proofLength));
        verifier.verifyBatch(batchVersion, BATCH, proven.input, proven.output, "");
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_UnknownCircuit.selector, batchVersion, 2));
        verifier.verifyBatch(batchVersion, 2, proven.input, proven.output, proven.proof);
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_UnsupportedBatch.selector, 4));
        verifier.verify(batchVersion, BATCH, proven.input, proven.output, proven.proof);
    }

    function test_refusesOneBitInAnyWordOfABatchProof() external {
        Case memory proven = batch.cases[0];
        for (uint256 at = 31; at < proven.proof.length; at += 32) {
            proven.proof[at] ^= 0x01;
            vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
            verifier.verifyBatch(batchVersion, BATCH, proven.input, proven.output, proven.proof);
            proven.proof[at] ^= 0x01;
        }
        verifier.verifyBatch(batchVersion, BATCH, proven.input, proven.output, proven.proof);
    }

    function test_refusesAnyOtherValueOfAnyRow() external {
        Case memory proven = batch.cases[0];
        for (uint256 at = 0; at < proven.input.length; ++at) {
            proven.input[at] ^= 0x01;
            vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
            verifier.verifyBatch(batchVersion, BATCH, proven.input, proven.output, proven.proof);
            proven.input[at] ^= 0x01;
        }
        for (uint256 at = 0; at < proven.output.length; ++at) {
            proven.output[at] ^= 0x01;
            vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
            verifier.verifyBatch(batchVersion, BATCH, proven.input, proven.output, proven.proof);
            proven.output[at] ^= 0x01;
        }
        verifier.verifyBatch(batchVersion, BATCH, proven.input, proven.output, proven.proof);
    }

    function _verify(uint64 versionId, Case storage proven) private view returns (bytes32[] memory) {
        return verifier.verifyBatch(versionId, BATCH, proven.input, proven.output, proven.proof);
    }

    function _checkBindings(bytes32[] memory bindings, bytes memory inputs) private pure {
        assertEq(bindings.length, ROWS, "one binding a row");
        for (uint256 row = 0; row < ROWS; ++row) {
            assertEq(bindings[row], keccak256(rowOf(inputs, ROWS, row)), "bound to the row's packed input");
        }
    }
}
