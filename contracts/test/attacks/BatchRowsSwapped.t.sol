// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @notice One proof covers several rows: the executor answers one request with another's output.
contract BatchRowsSwappedAttack is BatchNetwork {
    uint256[] internal ids;

    function setUp() public override {
        super.setUp();
        ids = lockRows(ROWS);
    }

    /// @notice The ids in another order than the rows: every request is held against its own row's input.
    function test_attack_requestsInAnotherOrder() external {
        for (uint256 i = 0; i < ROWS; ++i) {
            for (uint256 j = i + 1; j < ROWS; ++j) {
                uint256[] memory swapped = ids;
                (swapped[i], swapped[j]) = (ids[j], ids[i]);
                bytes memory reason = abi.encodeWithSelector(
                    IInferenceMarket.InferenceMarket_InputBindingMismatch.selector,
                    packed.cases[i].inputBinding,
                    packed.cases[j].inputBinding
                );
                refuseBatchBy(executor, swapped, reason);
            }
        }
        assertEq(fulfillBatchBy(executor, ids), ROWS, "and in their own order all are paid");
    }

    /// @notice Inputs as proven, but two outputs exchanged.
    function test_attack_outputsInAnotherOrder() external {
        Case memory proven = batch.cases[0];
        for (uint256 i = 0; i < ROWS; ++i) {
            uint256 j = (i + 1) % ROWS;
            _refused(proven.input, _swap(proven.output, i, j), proven.proof);
        }
    }

    /// @notice Inputs and outputs exchanged alike: the ids' order is right again, but nobody proved that batch.
    function test_attack_wholeRowsInAnotherOrder() external {
        Case memory proven = batch.cases[0];
        for (uint256 i = 0; i < ROWS; ++i) {
            uint256 j = (i + 1) % ROWS;
            _refused(_swap(proven.input, i, j), _swap(proven.output, i, j), proven.proof);
        }
    }

    /// @notice The proof of the same rows, turned: right for its own order only.
    function test_attack_theProofOfAnotherOrder() external {
        _refused(batch.cases[0].input, batch.cases[0].output, batch.cases[1].proof);
        _refused(batch.cases[1].input, batch.cases[1].output, batch.cases[0].proof);
    }

    function _refused(bytes memory inputs, bytes memory outputs, bytes memory proof) private {
        Money memory before = money();
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        vm.prank(executor);
        market.fulfillBatch(ids, BATCH, inputs, outputs, proof);
        assertUnchanged(before);
    }

    function _swap(bytes memory rows, uint256 i, uint256 j) private pure returns (bytes memory swapped) {
        swapped = bytes.concat(rows);
        uint256 length = rows.length / ROWS;
        for (uint256 at = 0; at < length; ++at) {
            (swapped[i * length + at], swapped[j * length + at]) = (rows[j * length + at], rows[i * length + at]);
        }
    }
}
