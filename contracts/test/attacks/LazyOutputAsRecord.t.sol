// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {LazyClaim, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: an output whose digest looks like the hash of a claim, so that the final record of it could be shown
/// as something else. A final record that keeps its result is never read as a hash, and its state is none of the
/// others'. The
/// collision is made by hand here: nobody can find one.
contract LazyOutputAsRecordAttack is LazyNetwork {
    function test_attack_aDigestThatIsAClaimsHash() external {
        LazyClaim memory claim = honest();
        finalized(claim);
        // As if the output's digest were the hash of this claim, in every state that looks at hashes.
        LazyClaim memory crafted = _copy(claim);
        crafted.price = PRICE * 100;
        bytes32 asAnswer = keccak256(abi.encode(crafted));
        _forge(claim.requestId, asAnswer);
        vm.expectRevert(otherRecord(claim.requestId, LazyState.FINAL, LazyState.ANSWERED));
        lazy.finalize(crafted, "");
        commitTo(challenger, crafted);
        nextBlock();
        vm.expectRevert(otherRecord(claim.requestId, LazyState.FINAL, LazyState.ANSWERED));
        vm.prank(challenger);
        court.challenge(address(lazy), crafted, SALT);
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_ResultKept.selector, claim.requestId));
        lazy.keepResult(crafted);
    }

    function test_attack_aDigestThatIsALocksHash() external {
        LazyRequest memory request = wantedNamed();
        LazyClaim memory claim = answerSigned(request, truth());
        finalized(claim);
        _forge(claim.requestId, keccak256(abi.encode(lockNow(request, executor))));
        vm.expectRevert(otherRecord(claim.requestId, LazyState.FINAL, LazyState.LOCKED));
        lazy.refundLocked(request, lockNow(request, executor));
    }

    /// @dev Puts `details` into the final record, which an output with that digest would have done.
    function _forge(uint256 requestId, bytes32 details) private {
        uint256 record = lazy.recordOf(requestId);
        uint256 forged = record >> 248 << 248 | uint256(details) << 8 >> 8;
        // The mapping's slot is found, not assumed.
        for (uint256 slot = 0; slot < 32; ++slot) {
            bytes32 at = keccak256(abi.encode(requestId, slot));
            if (uint256(vm.load(address(lazy), at)) != record) continue;
            vm.store(address(lazy), at, bytes32(forged));
            assertEq(lazy.recordOf(requestId), forged, "forged");
            return;
        }
        assertTrue(false, "no slot holds the record");
    }

    function _copy(LazyClaim memory claim) private pure returns (LazyClaim memory) {
        return abi.decode(abi.encode(claim), (LazyClaim));
    }
}
