// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {BoardResult} from "../../src/results/ResultTypes.sol";
import {LazyRequest} from "../../src/types/LazyTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {Finality} from "../../src/types/RecordTypes.sol";
import {BoardNetwork} from "../BoardNetwork.t.sol";

/// @notice A result has a high bond, or a proof. An attacker makes lies final by his own requests, with the least bond
/// there is, and publishes them one after the other, so that whoever asks for the latest gets a lie, or nothing that
/// has the bond he wants.
contract BoardHiddenByCheapResultsAttack is BoardNetwork {
    uint256 private constant CHEAP = 12;

    function test_attack_cheapResultsOnTopOfAWellBondedOne() external {
        LazyRequest memory good = lazyResult(COLLATERAL);
        board.publishLazy(good);
        for (uint256 i = 0; i < CHEAP; ++i) {
            board.publishLazy(lazyResult(FLOOR, "a lie"));
            _assertGood(lazy.idOf(good));
        }
        (, uint256 standing) = board.countsOf(lazyTopic());
        assertEq(standing, 2, "one cheap result hides the other, and not the good one");
    }

    /// @notice Each with a little less bond than the one before, so that all of them stand.
    function test_attack_aStaircaseOfCheapResults() external {
        LazyRequest memory good = lazyResult(COLLATERAL);
        board.publishLazy(good);
        for (uint128 i = 0; i < CHEAP; ++i) {
            board.publishLazy(lazyResult(COLLATERAL - 1 - i, "a lie"));
            _assertGood(lazy.idOf(good));
        }
        (, uint256 standing) = board.countsOf(lazyTopic());
        assertEq(standing, 1 + CHEAP, "all stand");
        uint256 before = gasleft();
        latest(LAZY, COLLATERAL);
        assertLe(before - gasleft(), 80_000, "and cost its reader little");
    }

    /// @notice The cheap ones are published first, and the good one is older than all of them.
    function test_attack_aGoodResultPublishedLate() external {
        LazyRequest memory good = lazyResult(COLLATERAL);
        for (uint128 i = 0; i < CHEAP; ++i) {
            board.publishLazy(lazyResult(COLLATERAL - 1 - i, "a lie"));
        }
        board.publishLazy(good);
        _assertGood(lazy.idOf(good));
    }

    /// @notice No stake hides a proof.
    function test_attack_anyBondOnTopOfAProof() external {
        LazyRequest memory proven = lazyProven();
        board.publishLazy(proven);
        board.publishLazy(lazyResult(uint128(BACKING), "a lie"));
        BoardResult memory shown = latest(LAZY, type(uint128).max);
        assertShown(shown, lazy.idOf(proven), Finality.PROVEN, PROVEN_BOND);
    }

    /// @notice One mode does not hide another: who believes proofs alone sees them alone.
    function test_attack_anotherModeOnTop() external {
        uint256 proven = provenResult();
        board.publishProven(proven);
        vm.warp(block.timestamp + 1);
        board.publishLazy(lazyResult(COLLATERAL, "a lie"));
        board.publishQuorum(quorumResult(CLASS, "a lie"));
        board.publishAttested(attestedResult("a lie"));
        assertEq(latest(ZK, 0).requestId, proven, "the proof");
        assertEq(uint256(latest(PROVABLE, COLLATERAL + 1).mode), uint256(TrustMode.ZK), "the proof passes any bond");
    }

    function _assertGood(uint256 requestId) private view {
        BoardResult memory shown = latest(LAZY, COLLATERAL);
        assertShown(shown, requestId, Finality.UNCHALLENGED, COLLATERAL);
        assertEq(shown.outputDigest, keccak256(truth()), "what it says");
    }
}
