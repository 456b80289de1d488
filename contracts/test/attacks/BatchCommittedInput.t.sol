// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @notice A batch under a KZG commitment: 64 bytes stand for all rows, so any split of the batch would fit them.
contract BatchCommittedInputAttack is BatchNetwork {
    function test_attack_aBatchCircuitWithCommittedInputsIsNotPublished() external {
        VersionParams memory params = publication(kzg, 0);
        params.circuits[0].batchSize = 4;
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_BatchNotPacked.selector, 0));
        vm.prank(builder);
        registry.publishVersion(modelId, params);
        // In no mode: the rule is about what a proof can bind, not about what is paid for.
        params.modes = 12;
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_BatchNotPacked.selector, 0));
        vm.prank(builder);
        registry.publishVersion(modelId, params);
    }

    function test_attack_aSingleProofWithCommittedInputIsNoBatch() external {
        uint256 requestId = open(paramsFor(kzgVersion, kzg, 0));
        lockBy(executor, requestId);
        nextBlock();
        Case memory proven = kzg.cases[0];
        Money memory before = money();
        vm.expectRevert(IZkVerifier.ZkVerifier_BatchNotPacked.selector);
        vm.prank(executor);
        market.fulfillBatch(one(requestId), 0, "", proven.output, proven.proof);
        vm.expectRevert(IZkVerifier.ZkVerifier_BatchNotPacked.selector);
        vm.prank(executor);
        market.fulfillBatch(one(requestId), 0, proven.input, proven.output, proven.proof);
        assertUnchanged(before);
        fulfillBy(executor, requestId, kzg, 0);
    }
}
