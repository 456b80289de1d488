// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedAnswer} from "../../src/interfaces/IAttestationVerifier.sol";
import {KeySets} from "../KeySets.t.sol";

/// @title Gas of checking attestations: the call alone, its calldata not counted
contract AttestationGasTest is KeySets {
    string internal constant GROUP = "Attestations";

    function test_oneOfOne() external {
        _verify(1, 1, "verify 1 of 1");
    }

    function test_twoOfThree() external {
        _verify(2, 3, "verify 2 of 3");
    }

    function test_fiveOfNine() external {
        _verify(5, 9, "verify 5 of 9");
    }

    function _verify(uint256 threshold, uint256 count, string memory name) private {
        uint256[] memory keys = sortedKeys(count, 1);
        uint256[] memory indices = new uint256[](threshold);
        for (uint256 i = 0; i < threshold; ++i) {
            indices[i] = i;
        }
        AttestedAnswer memory answer = anAnswer();
        bytes memory evidence = evidenceOf(threshold, keys, indices, keySets.digestOf(answer));
        bytes32 policy = keySets.policyOf(uint8(threshold), addressesOf(keys));
        keySets.verifyAttestation(policy, answer, evidence);
        vm.snapshotGasLastCall(GROUP, name);
    }
}
