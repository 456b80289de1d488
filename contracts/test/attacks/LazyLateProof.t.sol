// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IDisputeCourt} from "../../src/interfaces/IDisputeCourt.sol";
import {LazyClaim, LazyState} from "../../src/types/LazyTypes.sol";
import {Finality} from "../../src/types/RecordTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: a proof comes after the deadline, in front of the slash; or a slash in front of a proof in time. In
/// any second one of both is possible.
contract LazyLateProofAttack is LazyNetwork {
    function test_attack_aProofInFrontOfTheSlash() external {
        LazyClaim memory claim = challenged(honest());
        missDeadline(claim);
        vm.expectRevert(IDisputeCourt.DisputeCourt_NothingToSettle.selector);
        proveBy(executor, list(claim), packed, 0);
        // Nor in a list with one that is in time.
        LazyClaim memory other = honest();
        assertEq(proveBy(executor, list(claim, other), packed, 0), 1, "only the other");
        court.slash(address(lazy), claim);
        assertLazy(claim.requestId, LazyState.SLASHED);
    }

    function test_attack_aSlashInFrontOfTheProof() external {
        LazyClaim memory claim = challenged(honest());
        vm.warp(court.disputeOf(address(lazy), claim.requestId).deadline);
        vm.expectPartialRevert(IDisputeCourt.DisputeCourt_NotOverdue.selector);
        court.slash(address(lazy), claim);
        prove(claim);
        assertEq(uint256(lazy.resultOf(claim.requestId).how), uint256(Finality.PROVEN), "proven");
    }

    function test_attack_slashedTwice() external {
        LazyClaim memory claim = challenged(lie());
        slashed(claim);
        LazyMoney memory before = lazyMoney();
        vm.expectPartialRevert(IDisputeCourt.DisputeCourt_NotDisputed.selector);
        court.slash(address(lazy), claim);
        assertNothingMoved(before);
    }
}
