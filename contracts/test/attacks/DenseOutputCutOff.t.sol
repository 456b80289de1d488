// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @notice A dense circuit cuts an output that is too small for its width off at the smallest integer, whose digit is
/// zero: the proof is valid and the answer is wrong. So no dense output may hold that integer, whatever is proven.
contract DenseOutputCutOffAttack is BatchNetwork {
    uint256 internal constant WIDTH = 4;
    uint256 internal constant OUTPUTS = 3;

    function test_attack_noDenseOutputIsTheSmallestInteger() external {
        Case memory proven = batch.cases[0];
        assertEq(proven.output.length, ROWS * OUTPUTS * WIDTH, "the fixture's outputs");
        for (uint256 place = 0; place < ROWS * OUTPUTS; ++place) {
            // The padding's rows as well: all that a proof covers is an answer, or nothing is.
            bytes memory cut = _withLowest(proven.output, place);
            vm.expectRevert(IZkVerifier.ZkVerifier_OutputCutOff.selector);
            verifier.verifyBatch(batchVersion, BATCH, proven.input, cut, proven.proof);
        }
    }

    /// @notice Its neighbours are left to the proof.
    function test_theNextIntegerIsNotCutOff() external {
        Case memory proven = batch.cases[0];
        bytes memory output = _withLowest(proven.output, 1);
        output[2 * WIDTH - 1] = 0x01;
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        verifier.verifyBatch(batchVersion, BATCH, proven.input, output, proven.proof);
    }

    /// @notice An input may be the smallest integer: the circuit goes on with just that.
    function test_theSmallestInputIsLeftToTheProof() external {
        Case memory proven = batch.cases[0];
        bytes memory input = proven.input;
        (input[0], input[1]) = (0x80, 0x00);
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        verifier.verifyBatch(batchVersion, BATCH, input, proven.output, proven.proof);
    }

    /// @notice A plain circuit's outputs are whole field elements: nothing is cut off.
    function test_aPlainOutputMayBeTheSmallestInteger() external {
        Case memory proven = packed.cases[0];
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        verifier.verify(batchVersion, SINGLE, proven.input, _withLowest(proven.output, 0), proven.proof);
    }

    function _withLowest(bytes memory output, uint256 place) private pure returns (bytes memory changed) {
        changed = bytes.concat(output);
        changed[place * WIDTH] = 0x80;
        for (uint256 i = 1; i < WIDTH; ++i) {
            changed[place * WIDTH + i] = 0x00;
        }
    }
}
