// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @notice A request of another version, with the same input, among those that the proof is for: its requester would
/// pay for a model that he did not ask.
contract BatchOtherVersionAttack is BatchNetwork {
    Fixture internal otherWeights;
    uint64 internal twin;
    uint64 internal other;

    function setUp() public override {
        super.setUp();
        loadFixture(otherWeights, "packed_other_weights");
        verifier.registerVka(otherWeights.vka);
        VersionParams memory params = batchPublication(batch);
        params.royaltyBps = 0;
        vm.startPrank(builder);
        twin = registry.publishVersion(modelId, params); // the same circuits, other terms
        other = registry.publishVersion(modelId, publication(otherWeights, ROYALTY_BPS));
        vm.stopPrank();
    }

    function test_attack_anotherVersionOfTheSameModel() external {
        uint256 mine = _locked(batchVersion, 0);
        uint256 others = _locked(twin, 1);
        nextBlock();
        refuseBatchBy(
            executor,
            two(mine, others),
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_VersionMismatch.selector, others, twin, batchVersion
            )
        );
        // The first one that can be paid says which version it is.
        others = _locked(twin, 0);
        mine = _locked(batchVersion, 1);
        nextBlock();
        refuseBatchBy(
            executor,
            two(others, mine),
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_VersionMismatch.selector, mine, batchVersion, twin)
        );
    }

    function test_attack_aVersionWithOtherWeights() external {
        uint256 mine = _locked(batchVersion, 0);
        uint256 others = _locked(other, 1);
        nextBlock();
        refuseBatchBy(
            executor,
            two(mine, others),
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_VersionMismatch.selector, others, other, batchVersion
            )
        );
        // Alone, its own version decides, which has no such circuit, or one that this proof is not for.
        Case memory proven = packed.cases[1];
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        vm.prank(executor);
        market.fulfillBatch(one(others), 0, proven.input, proven.output, proven.proof);
    }

    /// @notice Where it cannot be paid anyway, it is left out like any other.
    function test_anotherVersionThatIsNotDueIsSkipped() external {
        uint256 mine = _locked(batchVersion, 0);
        uint256 others = open(paramsFor(twin, packed, 1));
        nextBlock();
        assertEq(fulfillBatchBy(executor, two(mine, others)), 1, "the due one");
    }

    function _locked(uint64 versionId, uint256 index) private returns (uint256 requestId) {
        requestId = open(paramsFor(versionId, packed, index));
        lockBy(executor, requestId);
    }
}
