// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice A valid proof carries a forged output.
contract ProofForAnotherOutputAttack is Network {
    function test_attack_everyElementOffByOne() external {
        uint256 requestId = openLocked();
        Money memory before = money();
        bytes memory input = packed.cases[0].input;
        bytes memory proof = packed.cases[0].proof;
        for (uint256 at = 3; at < 12; at += 4) {
            bytes memory forged = packed.cases[0].output;
            forged[at] = bytes1(uint8(forged[at]) ^ 1);
            vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
            vm.prank(executor);
            market.fulfill(requestId, 0, input, forged, proof);
        }
        assertUnchanged(before);
        fulfillBy(executor, requestId, packed, 0);
        assertState(requestId, RequestState.PAID);
    }

    function test_attack_theOutputOfAnotherInput() external {
        uint256 requestId = openLocked();
        bytes memory input = packed.cases[0].input;
        bytes memory output = packed.cases[1].output;
        bytes memory proof = packed.cases[0].proof;
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        vm.prank(executor);
        market.fulfill(requestId, 0, input, output, proof);
    }

    function test_attack_aForgedOutputUnderACommitment() external {
        uint256 requestId = open(paramsFor(kzgVersion, kzg, 0));
        lockBy(executor, requestId);
        nextBlock();
        bytes memory forged = kzg.cases[0].output;
        forged[11] = bytes1(uint8(forged[11]) ^ 1);
        bytes memory proof = kzg.cases[0].proof;
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        vm.prank(executor);
        market.fulfill(requestId, 0, "", forged, proof);
    }
}
