// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {RequestState} from "../../src/types/MarketTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @notice Rows after the last id are padding: nobody is answered, paid or called back for them, and they are proven
/// all the same.
contract BatchPaddingAttack is BatchNetwork {
    function test_attack_paddingAnswersNobody() external {
        // Requests for the padding's inputs exist and are locked by the same executor.
        uint256[] memory ids = lockRows(ROWS);
        for (uint256 count = 1; count < ROWS; ++count) {
            uint256 snapshot = vm.snapshotState();
            uint256[] memory some = new uint256[](count);
            for (uint256 i = 0; i < count; ++i) {
                some[i] = ids[i];
            }
            Money memory before = money();
            assertEq(fulfillBatchBy(executor, some), count, "the named ones");
            Money memory now_ = money();
            assertEq(before.escrowed - now_.escrowed, count * PRICE, "paid for the named ones");
            assertEq(now_.locked, (ROWS - count) * COLLATERAL, "the others stay locked");
            for (uint256 i = count; i < ROWS; ++i) {
                assertState(ids[i], RequestState.LOCKED);
                assertEq(market.requestOf(ids[i]).outputDigest, 0, "no output");
            }
            vm.revertToState(snapshot);
        }
    }

    function test_attack_paddingThatWasNotProven() external {
        uint256[] memory ids = lockRows(1);
        Case memory proven = batch.cases[0];
        for (uint256 row = 1; row < ROWS; ++row) {
            bytes memory outputs = bytes.concat(proven.output);
            outputs[row * 12 + 11] ^= 0x01;
            vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
            vm.prank(executor);
            market.fulfillBatch(ids, BATCH, proven.input, outputs, proven.proof);
        }
        assertEq(fulfillBatchBy(executor, ids), 1, "proven padding is no obstacle");
    }

    /// @notice No ids at all: the proof alone moves nothing.
    function test_attack_onlyPadding() external {
        lockRows(ROWS);
        refuseBatchBy(
            executor, new uint256[](0), abi.encodeWithSelector(IInferenceMarket.InferenceMarket_EmptyBatch.selector)
        );
    }
}
