// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {RequestParams} from "../src/types/MarketTypes.sol";
import {Circuit, VersionParams} from "../src/types/ModelTypes.sol";
import {Network} from "./Network.t.sol";

/// @title A network with a version that proves one row or four at once
/// @notice Circuit 0 is the fixture `packed`, circuit 1 the fixture `batch4`: the same network with dense words. Row i
/// of the batch's first proof is case i of `packed`; its second proof is turned by one.
abstract contract BatchNetwork is Network {
    uint256 internal constant ROWS = 4;
    uint256 internal constant SINGLE = 0;
    uint256 internal constant BATCH = 1;

    Fixture internal batch;
    uint64 internal batchVersion;

    function setUp() public virtual override {
        super.setUp();
        loadFixture(batch, "batch4");
        verifier.registerVka(batch.vka);
        vm.prank(builder);
        batchVersion = registry.publishVersion(modelId, batchPublication(batch));
    }

    /// @notice The single circuit, and a batch circuit of the same network.
    function batchPublication(Fixture storage second) internal view returns (VersionParams memory params) {
        params = publication(packed, ROYALTY_BPS);
        Circuit memory single = params.circuits[0];
        params.circuits = new Circuit[](2);
        (params.circuits[SINGLE], params.circuits[BATCH]) = (single, circuitOf(second));
    }

    /// @notice A request with the input of case `index`.
    function rowParams(uint256 index) internal view returns (RequestParams memory) {
        return paramsFor(batchVersion, packed, index);
    }

    /// @notice Requests for the first rows of the batch's first proof, locked by the executor in an earlier block.
    function lockRows(uint256 count) internal returns (uint256[] memory ids) {
        ids = new uint256[](count);
        for (uint256 row = 0; row < count; ++row) {
            ids[row] = open(rowParams(row));
            lockBy(executor, ids[row]);
        }
        nextBlock();
    }

    /// @notice Delivers the batch's first proof.
    function fulfillBatchBy(address account, uint256[] memory ids) internal returns (uint256 fulfilled) {
        Case memory proven = batch.cases[0];
        vm.prank(account);
        return market.fulfillBatch(ids, BATCH, proven.input, proven.output, proven.proof);
    }

    /// @notice The same, but the call must fail.
    function refuseBatchBy(address account, uint256[] memory ids, bytes memory reason) internal {
        Case memory proven = batch.cases[0];
        Money memory before = money();
        vm.expectRevert(reason);
        vm.prank(account);
        market.fulfillBatch(ids, BATCH, proven.input, proven.output, proven.proof);
        assertUnchanged(before);
    }

    function outputOf(uint256 row) internal view returns (bytes memory) {
        return rowOf(batch.cases[0].output, ROWS, row);
    }

    function one(uint256 id) internal pure returns (uint256[] memory ids) {
        ids = new uint256[](1);
        ids[0] = id;
    }

    function two(uint256 first, uint256 second) internal pure returns (uint256[] memory ids) {
        ids = new uint256[](2);
        (ids[0], ids[1]) = (first, second);
    }
}
