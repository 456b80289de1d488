// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @notice A key published with another spelling of its public words than its circuit has: what the contract hands to
/// the verifier is then not what the circuit made public, and nothing may pass.
contract DenseAndPlainConfusedAttack is BatchNetwork {
    Fixture internal dense;
    Fixture internal plain;

    function setUp() public override {
        super.setUp();
        loadFixture(dense, "dense");
        loadFixture(plain, "batch4_plain");
        verifier.registerVka(dense.vka);
        verifier.registerVka(plain.vka);
    }

    function test_attack_aPlainCircuitPresentedAsDense() external {
        _refusedSingle(packed, 32, 6);
        _refusedSingle(packed, 253, 1); // as many words, shifted values
        _refusedSingle(packed, 36, 7);
        _refusedBatch(plain, 32, 6);
        _refusedBatch(plain, 253, 1);
    }

    function test_attack_aDenseCircuitPresentedAsPlain() external {
        _refusedSingle(dense, 0, 0);
        _refusedBatch(batch, 0, 0);
    }

    function test_attack_aDenseCircuitWithOtherDigits() external {
        _refusedSingle(dense, 33, 6);
        _refusedSingle(dense, 36, 6);
        // Rows of 4 and of 3 values fit one word with 4 digits as with 6: the same words, so the same statement.
        _acceptedSingle(dense, 32, 5);
        _acceptedSingle(dense, 32, 4);
        _refusedSingle(dense, 32, 3);
        _refusedBatch(batch, 33, 6);
        _refusedBatch(batch, 32, 3);
    }

    function _refusedSingle(Fixture storage fixture, uint16 digitBits, uint16 digitsPerWord) private {
        uint64 versionId = _publish(fixture, digitBits, digitsPerWord);
        Case memory proven = fixture.cases[0];
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        verifier.verify(versionId, 0, proven.input, proven.output, proven.proof);
    }

    function _acceptedSingle(Fixture storage fixture, uint16 digitBits, uint16 digitsPerWord) private {
        uint64 versionId = _publish(fixture, digitBits, digitsPerWord);
        Case memory proven = fixture.cases[0];
        verifier.verify(versionId, 0, proven.input, proven.output, proven.proof);
    }

    function _refusedBatch(Fixture storage fixture, uint16 digitBits, uint16 digitsPerWord) private {
        uint64 versionId = _publish(fixture, digitBits, digitsPerWord);
        Case memory proven = fixture.cases[0];
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        verifier.verifyBatch(versionId, 0, proven.input, proven.output, proven.proof);
    }

    function _publish(Fixture storage fixture, uint16 digitBits, uint16 digitsPerWord) private returns (uint64) {
        VersionParams memory params = publication(fixture, 0);
        (params.circuits[0].digitBits, params.circuits[0].digitsPerWord) = (digitBits, digitsPerWord);
        vm.prank(builder);
        return registry.publishVersion(modelId, params);
    }
}
