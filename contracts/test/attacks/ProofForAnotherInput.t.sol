// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice An answer once proven is sold again for another question.
contract ProofForAnotherInputAttack is Network {
    function test_attack_aProofOfAnotherPackedInput() external {
        uint256 requestId = openLocked(); // asks for case 0
        Money memory before = money();
        // All of case 1: a valid proof, of the wrong input.
        bytes memory input = packed.cases[1].input;
        bytes memory output = packed.cases[1].output;
        bytes memory proof = packed.cases[1].proof;
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_InputBindingMismatch.selector,
                packed.cases[1].inputBinding,
                packed.cases[0].inputBinding
            )
        );
        vm.prank(executor);
        market.fulfill(requestId, 0, input, output, proof);
        // The asked input beside the proof of the other: the binding fits, the proof does not.
        input = packed.cases[0].input;
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        vm.prank(executor);
        market.fulfill(requestId, 0, input, output, proof);
        assertUnchanged(before);
    }

    function test_attack_aProofOfAnotherCommittedInput() external {
        uint256 requestId = open(paramsFor(kzgVersion, kzg, 0));
        lockBy(executor, requestId);
        nextBlock();
        Money memory before = money();
        bytes memory output = kzg.cases[1].output;
        bytes memory proof = kzg.cases[1].proof;
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_InputBindingMismatch.selector,
                kzg.cases[1].inputBinding,
                kzg.cases[0].inputBinding
            )
        );
        vm.prank(executor);
        market.fulfill(requestId, 0, "", output, proof);
        // The asked commitment pasted over the other proof's: a commitment is part of what is proven.
        bytes memory asked = kzg.cases[0].proof;
        for (uint256 i = 0; i < 64; ++i) {
            proof[i] = asked[i];
        }
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        vm.prank(executor);
        market.fulfill(requestId, 0, "", output, proof);
        assertUnchanged(before);
        fulfillBy(executor, requestId, kzg, 0);
        assertState(requestId, RequestState.PAID);
    }
}
