// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest} from "../../src/attested/AttestedTypes.sol";
import {QuorumRequest} from "../../src/quorum/QuorumTypes.sol";
import {Acceptance} from "../../src/results/ResultTypes.sol";
import {LazyRequest} from "../../src/types/LazyTypes.sol";
import {BoardNetwork} from "../BoardNetwork.t.sol";

/// @notice A requester chooses the keys that attest, and the runtime class whose members form the quorum. So a stranger
/// asks for himself, with keys of his own, or with a class in which nobody but he is enrolled, gets any lie made final,
/// and publishes it.
contract BoardStrangersTermsAttack is BoardNetwork {
    bytes32 private constant OWN_CLASS = keccak256("a class of my own");

    function test_attack_aLieSignedByOnesOwnKeys() external {
        AttestedRequest memory honest = attestedResult(truth());
        board.publishAttested(honest);
        vm.warp(block.timestamp + 1);
        uint256[] memory own = sortedKeys(2, 666);
        AttestedRequest memory asked = attestedAsked();
        asked.policy = keySets.policyOf(2, addressesOf(own));
        answerAttested(asked, own, "a lie");
        board.publishAttested(asked);
        assertEq(latestOf(ATTESTED).requestId, attested.idOf(honest), "other keys, another topic");
        // It is there for whoever believes those keys.
        Acceptance memory naive = acceptance(ATTESTED);
        naive.policy = asked.policy;
        assertEq(board.latestUnder(everyMode, binding(), naive).outputDigest, keccak256("a lie"), "theirs");
    }

    function test_attack_aLieOnWhichOnesOwnMembersAgree() external {
        QuorumRequest memory honest = quorumResult(CLASS, truth());
        board.publishQuorum(honest);
        for (uint256 i = 0; i < 3; ++i) {
            enrollIn(OWN_CLASS, makeAddr(string.concat("sybil ", vm.toString(i))));
        }
        nextBlock();
        QuorumRequest memory asked = quorumResult(OWN_CLASS, "a lie");
        board.publishQuorum(asked);
        assertEq(latestOf(QUORUM).requestId, quorum.idOf(honest), "another class, another topic");
        Acceptance memory naive = acceptance(QUORUM);
        naive.runtimeClass = OWN_CLASS;
        assertEq(board.latestUnder(everyMode, binding(), naive).outputDigest, keccak256("a lie"), "theirs");
    }

    /// @notice Neither shows among the results for which nobody chose whom to believe.
    function test_attack_neitherPassesForAProof() external {
        board.publishAttested(attestedResult("a lie"));
        board.publishQuorum(quorumResult(CLASS, "a lie"));
        assertNothing(latest(PROVABLE, 0));
        LazyRequest memory good = lazyResult(FLOOR);
        board.publishLazy(good);
        assertEq(latest(PROVABLE, 0).requestId, lazy.idOf(good), "the one that answers with its stake");
    }
}
