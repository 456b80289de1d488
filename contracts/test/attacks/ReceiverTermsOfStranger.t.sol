// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest} from "../../src/attested/AttestedTypes.sol";
import {QuorumRequest} from "../../src/quorum/QuorumTypes.sol";
import {BoardNetwork} from "../BoardNetwork.t.sol";
import {ModeReceiver} from "../unit/ReceiverModes.t.sol";

/// @notice A contract acts on answers that keys attested, or on which a quorum agreed. A stranger asks with keys of his
/// own, or of a class in which only his executors are enrolled, names the contract as callback, and has a lie brought
/// to it by the very market that it believes.
contract ReceiverTermsOfStrangerAttack is BoardNetwork {
    bytes32 private constant OWN_CLASS = keccak256("a class of my own");
    uint32 private constant CALLBACK_GAS = 200_000;

    function test_attack_keysOfTheStrangersChoice() external {
        ModeReceiver receiver = new ModeReceiver(address(attested), everyMode, ATTESTED, builder);
        uint256[] memory own = sortedKeys(2, 666);
        AttestedRequest memory asked = attestedAsked();
        asked.policy = keySets.policyOf(2, addressesOf(own));
        (asked.callback, asked.callbackGas) = (address(receiver), CALLBACK_GAS);
        answerAttested(asked, own, packed.cases[1].output);
        assertEq(receiver.taken(), 0, "not taken");
    }

    function test_attack_aClassOfTheStrangersChoice() external {
        ModeReceiver receiver = new ModeReceiver(address(quorum), everyMode, QUORUM, builder);
        for (uint256 i = 0; i < 3; ++i) {
            enrollIn(OWN_CLASS, makeAddr(string.concat("sybil ", vm.toString(i))));
        }
        nextBlock();
        QuorumRequest memory asked = quorumAsked(OWN_CLASS);
        (asked.callback, asked.callbackGas) = (address(receiver), CALLBACK_GAS);
        agreeOn(asked, packed.cases[1].output);
        assertEq(receiver.taken(), 0, "not taken");
    }
}
