// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice A cheaper model of the same shape answers for the one that was asked: same architecture and schema, other
/// weights, a valid proof of its own.
contract ProofForAnotherVersionAttack is Network {
    Fixture internal other;

    function test_attack_otherWeightsCannotAnswer() external {
        loadFixture(other, "packed_other_weights");
        verifier.registerVka(other.vka);
        vm.prank(builder);
        uint64 otherVersion = registry.publishVersion(modelId, publication(other, ROYALTY_BPS));
        assertEq(other.ioSchema, packed.ioSchema, "the versions differ in their weights only");

        // A request to the first version, with the input for which the other version has a valid proof.
        uint256 requestId = open(paramsFor(packedVersion, other, 0));
        lockBy(executor, requestId);
        nextBlock();
        Money memory before = money();
        bytes memory input = other.cases[0].input;
        bytes memory output = other.cases[0].output;
        bytes memory proof = other.cases[0].proof;
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        vm.prank(executor);
        market.fulfill(requestId, 0, input, output, proof);
        assertUnchanged(before);

        // The same proof is good for its own version.
        requestId = open(paramsFor(otherVersion, other, 0));
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, other, 0);
        assertState(requestId, RequestState.PAID);
    }
}
