// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest} from "../../src/attested/AttestedTypes.sol";
import {QuorumRequest} from "../../src/quorum/QuorumTypes.sol";
import {IResultBoard} from "../../src/results/IResultBoard.sol";
import {LazyRequest} from "../../src/types/LazyTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {BoardNetwork} from "../BoardNetwork.t.sol";

/// @notice A right answer to one input, or of one version, is published as the answer to another: the struct that is
/// shown to the board is not the one that was asked.
contract BoardOtherBindingAttack is BoardNetwork {
    function test_attack_aLazyAnswerUnderAnotherBinding() external {
        LazyRequest memory asked = lazyResult(COLLATERAL);
        LazyRequest memory shown = _copy(asked);
        shown.inputBinding = packed.cases[1].inputBinding;
        _refusedLazy(shown);
        shown = _copy(asked);
        shown.versionId = lazyVersion;
        _refusedLazy(shown);
        shown = _copy(asked);
        shown.inputDigest = keccak256("another input");
        _refusedLazy(shown);
        shown = _copy(asked);
        shown.inputHint = "https://elsewhere.example";
        _refusedLazy(shown);
        board.publishLazy(asked);
        assertNothing(board.latest(everyMode, packed.cases[1].inputBinding, PROVABLE, 0));
        assertNothing(board.latest(lazyVersion, binding(), PROVABLE, 0));
    }

    function test_attack_aQuorumsAnswerUnderAnotherClass() external {
        QuorumRequest memory asked = quorumResult(CLASS, "agreed");
        QuorumRequest memory shown = abi.decode(abi.encode(asked), (QuorumRequest));
        shown.runtimeClass = keccak256("another class");
        _refusedQuorum(shown);
        shown = abi.decode(abi.encode(asked), (QuorumRequest));
        shown.inputBinding = packed.cases[1].inputBinding;
        _refusedQuorum(shown);
    }

    function test_attack_anAttestedAnswerUnderAnotherPolicy() external {
        AttestedRequest memory asked = attestedResult("signed");
        AttestedRequest memory shown = abi.decode(abi.encode(asked), (AttestedRequest));
        shown.policy = keccak256("another policy");
        _refusedAttested(shown);
        shown = abi.decode(abi.encode(asked), (AttestedRequest));
        shown.verifier = stranger;
        _refusedAttested(shown);
        shown = abi.decode(abi.encode(asked), (AttestedRequest));
        shown.inputBinding = packed.cases[1].inputBinding;
        _refusedAttested(shown);
    }

    /// @notice What the market proved is what the board keeps: the binding of the request, which nobody states again.
    function test_attack_aProvenAnswerHasOneBinding() external {
        board.publishProven(provenResult());
        assertNothing(board.latest(everyMode, packed.cases[1].inputBinding, PROVABLE, 0));
        assertTrue(latest(ZK, 0).requestId != 0, "its own");
    }

    function _copy(LazyRequest memory asked) private pure returns (LazyRequest memory) {
        return abi.decode(abi.encode(asked), (LazyRequest));
    }

    function _refusedLazy(LazyRequest memory shown) private {
        uint256 id = lazy.idOf(shown);
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NotFinal.selector, TrustMode.LAZY_ZK, id));
        board.publishLazy(shown);
    }

    function _refusedQuorum(QuorumRequest memory shown) private {
        uint256 id = quorum.idOf(shown);
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NotFinal.selector, TrustMode.QUORUM, id));
        board.publishQuorum(shown);
    }

    function _refusedAttested(AttestedRequest memory shown) private {
        uint256 id = attested.idOf(shown);
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NotFinal.selector, TrustMode.ATTESTED, id));
        board.publishAttested(shown);
    }
}
