// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {KeySetVerifier} from "../../src/KeySetVerifier.sol";
import {AttestedAnswer} from "../../src/interfaces/IAttestationVerifier.sol";
import {IKeySetVerifier} from "../../src/interfaces/IKeySetVerifier.sol";
import {KeySets} from "../KeySets.t.sol";

/// @notice Signatures of one answer are shown for another: for another request, market, version, input, output or
/// executor, to another verifier, or on another chain.
contract AttestationReplayedAttack is KeySets {
    uint256[] internal keys = sortedKeys(3, 1);
    bytes32 internal policy = keySets.policyOf(2, addressesOf(keys));
    bytes internal evidence = evidenceOf(2, keys, list(0, 2), keySets.digestOf(anAnswer()));

    function test_attack_forAnyOtherAnswer() external {
        AttestedAnswer[6] memory others = [anAnswer(), anAnswer(), anAnswer(), anAnswer(), anAnswer(), anAnswer()];
        others[0].market = address(0xb0b);
        others[1].requestId = 8;
        others[2].versionId = (1 << 32) | 4;
        others[3].inputDigest = keccak256("another input");
        others[4].outputDigest = keccak256("another output");
        others[5].executor = address(0xb0b);
        for (uint256 i = 0; i < 6; ++i) {
            _refused(keySets, others[i]);
        }
        assertAccepted(policy, anAnswer(), evidence);
    }

    function test_attack_onAnotherChain() external {
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        _refused(keySets, anAnswer());
        vm.chainId(here);
        assertAccepted(policy, anAnswer(), evidence);
    }

    function test_attack_toAnotherVerifier() external {
        _refused(new KeySetVerifier(), anAnswer());
    }

    function _refused(KeySetVerifier where, AttestedAnswer memory answer) private {
        vm.expectRevert(
            abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_InvalidSignature.selector, 0, vm.addr(keys[0]))
        );
        where.verifyAttestation(policy, answer, evidence);
    }
}
