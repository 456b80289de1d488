// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @notice More requests than rows, or rows that are more or fewer than the circuit's.
contract BatchRowCountAttack is BatchNetwork {
    function test_attack_moreRequestsThanRows() external {
        uint256[] memory ids = lockRows(ROWS);
        uint256[] memory more = new uint256[](ROWS + 1);
        for (uint256 i = 0; i < ROWS; ++i) {
            more[i] = ids[i];
        }
        more[ROWS] = open(rowParams(0));
        lockBy(executor, more[ROWS]);
        nextBlock();
        refuseBatchBy(
            executor,
            more,
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_TooManyRequests.selector, ROWS + 1, ROWS)
        );
        // Also where the one too many would be left out.
        more[ROWS] = 99;
        refuseBatchBy(
            executor,
            more,
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_TooManyRequests.selector, ROWS + 1, ROWS)
        );
    }

    function test_attack_fewerOrMoreRowsThanTheCircuits() external {
        uint256[] memory ids = lockRows(2);
        Case memory proven = batch.cases[0];
        for (uint256 rows = 0; rows <= ROWS + 1; ++rows) {
            if (rows == ROWS) continue;
            bytes memory inputs = _rows(proven.input, rows);
            vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_InputLength.selector, rows * 8, 32));
            vm.prank(executor);
            market.fulfillBatch(ids, BATCH, inputs, proven.output, proven.proof);
            bytes memory outputs = _rows(proven.output, rows);
            vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_OutputLength.selector, rows * 12, 48));
            vm.prank(executor);
            market.fulfillBatch(ids, BATCH, proven.input, outputs, proven.proof);
        }
    }

    /// @notice A publisher states another number of rows than the key's circuit has: nothing verifies.
    function test_attack_aBatchSizeThatIsNotTheCircuits() external {
        VersionParams memory params = batchPublication(batch);
        params.circuits[BATCH].batchSize = 2;
        vm.prank(builder);
        uint64 stated = registry.publishVersion(modelId, params);
        Case memory proven = batch.cases[0];
        bytes memory inputs = _rows(proven.input, 2);
        bytes memory outputs = _rows(proven.output, 2);
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        verifier.verifyBatch(stated, BATCH, inputs, outputs, proven.proof);
    }

    /// @dev The first rows, the last one repeated where there are not so many.
    function _rows(bytes memory rows, uint256 count) private pure returns (bytes memory cut) {
        for (uint256 row = 0; row < count; ++row) {
            cut = bytes.concat(cut, rowOf(rows, ROWS, row < ROWS ? row : ROWS - 1));
        }
    }
}
