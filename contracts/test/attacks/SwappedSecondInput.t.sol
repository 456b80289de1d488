// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice A model takes two committed inputs. A proof opens with one commitment per input, so a binding to the first
/// commitment alone would let the executor choose the second input.
contract SwappedSecondInputAttack is Network {
    Fixture internal twoInputs;
    uint64 internal versionId;

    function setUp() public override {
        super.setUp();
        loadFixture(twoInputs, "kzg_two_inputs");
        verifier.registerVka(twoInputs.vka);
        vm.prank(builder);
        versionId = registry.publishVersion(modelId, publication(twoInputs, ROYALTY_BPS));
    }

    function test_attack_aProofWithAnotherSecondInput() external {
        uint256 requestId = open(paramsFor(versionId, twoInputs, 0));
        lockBy(executor, requestId);
        nextBlock();
        bytes memory asked = twoInputs.cases[0].proof;
        bytes memory output = twoInputs.cases[2].output;
        bytes memory proof = twoInputs.cases[2].proof;
        assertEq(_hash(asked, 0, 64), _hash(proof, 0, 64), "the first input is the same");
        assertTrue(_hash(asked, 64, 64) != _hash(proof, 64, 64), "the second is not");
        Money memory before = money();
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_InputBindingMismatch.selector,
                twoInputs.cases[2].inputBinding,
                twoInputs.cases[0].inputBinding
            )
        );
        vm.prank(executor);
        market.fulfill(requestId, 0, "", output, proof);
        assertUnchanged(before);
        fulfillBy(executor, requestId, twoInputs, 0);
        assertState(requestId, RequestState.PAID);
    }

    function test_theBindingCoversBothCommitments() external view {
        for (uint256 i = 0; i < twoInputs.cases.length; ++i) {
            bytes32 binding = verifier.verify(versionId, 0, "", twoInputs.cases[i].output, twoInputs.cases[i].proof);
            assertEq(binding, twoInputs.cases[i].inputBinding, "as computed off chain");
            assertEq(binding, _hash(twoInputs.cases[i].proof, 0, 128), "of 128 bytes");
        }
    }

    function _hash(bytes memory data, uint256 from, uint256 length) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(add(add(data, 0x20), from), length)
        }
    }
}
