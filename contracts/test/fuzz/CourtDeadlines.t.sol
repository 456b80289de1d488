// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ClaimState, Receipt, ReceiptFlaw} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice Times: in every second exactly one thing can happen.
contract CourtDeadlinesFuzz is CourtNetwork {
    /// @dev In any second a claim can be proven or slashed, never both and never neither.
    function testFuzz_provenXorSlashed(uint256 wait) external {
        uint256 claimId = challenged(honest(0));
        uint64 deadline = claim(claimId).deadline;
        vm.warp(block.timestamp + bound(wait, 0, 10 * WINDOW));
        Case memory proven = packed.cases[0];
        uint256 before = vm.snapshotState();
        (bool canProve,) = address(court)
            .call(abi.encodeCall(court.respond, (ids(claimId), 0, proven.input, proven.output, proven.proof)));
        vm.revertToState(before);
        (bool canSlash,) = address(court).call(abi.encodeCall(court.slash, (claimId)));
        assertTrue(canProve != canSlash, "exactly one");
        assertTrue(canProve == (block.timestamp <= deadline), "up to and including the deadline");
    }

    /// @dev A deadline is a window after the later of now and the last open one, whatever came before.
    function testFuzz_queuedDeadlines(uint256[6] calldata pauses, uint8 settledMask) external {
        uint256[6] memory list;
        uint64[6] memory deadlines;
        for (uint32 i = 0; i < 6; ++i) {
            vm.warp(block.timestamp + bound(pauses[i], 0, 2 * WINDOW));
            uint256 claimId = committed(challenger, honestOrLie(i));
            uint256 last = _lastOpen(list, deadlines, i);
            uint256 from = last > block.timestamp ? last : block.timestamp;
            openBy(challenger, claimId, honestOrLie(i), inputOf(0));
            list[i] = claimId;
            deadlines[i] = claim(claimId).deadline;
            assertEq(deadlines[i], from + WINDOW, "a window after the later of both");
            // Some are proven at once, and do not count for the next.
            if (settledMask & (1 << i) != 0 && i % 2 == 0 && !_proven()) respond(claimId);
        }
        (, uint64 lastDeadline,) = court.queueOf(executor);
        assertEq(lastDeadline, _lastOpen(list, deadlines, 6), "the queue knows its last");
    }

    /// @dev A receipt can be challenged in every second of its life and in no other.
    function testFuzz_withinItsLifeOnly(uint256 life, uint256 wait) external {
        life = bound(life, 0, RECEIPT_LIFE);
        wait = bound(wait, 0, 2 * RECEIPT_LIFE);
        Receipt memory receipt = lie(0);
        receipt.expires = receipt.issued + uint64(life);
        uint256 claimId = commitTo(challenger, court.digestOf(receipt));
        vm.roll(block.number + 1);
        vm.warp(block.timestamp + wait);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        if (wait > life) expectRefusal(ReceiptFlaw.EXPIRED);
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
        assertClaim(claimId, wait > life ? ClaimState.COMMITTED : ClaimState.OPEN);
    }

    /// @dev As long as a receipt of the epoch can be challenged, its bond is locked.
    function testFuzz_noReleaseBeforeTheLastReceipt(uint256 issuedAfter, uint256 life, uint256 wait) external {
        Receipt memory receipt = lie(0);
        receipt.issued = epoch * EPOCH + uint64(bound(issuedAfter, 0, EPOCH - 1));
        receipt.expires = receipt.issued + uint64(bound(life, 0, RECEIPT_LIFE));
        vm.warp(epoch * EPOCH + bound(wait, 0, 3 * RECEIPT_LIFE));
        bool alive = court.flawOf(receipt, sign(receipt)) == ReceiptFlaw.NONE;
        (bool released,) = address(court).call(abi.encodeCall(court.releasePool, (executor, epoch)));
        assertFalse(alive && released, "never both");
        assertTrue(released == (block.timestamp >= (epoch + 1) * EPOCH + RECEIPT_LIFE), "exactly then");
    }

    /// @dev A pool can be taken back in exactly the seconds in which none of its receipts can have been issued.
    function testFuzz_closedOnlyBeforeItsEpoch(uint256 ahead, uint256 wait) external {
        uint64 at = epoch + uint64(bound(ahead, 0, 5));
        if (at != epoch) openPool(executor, at, 1);
        vm.warp(block.timestamp + bound(wait, 0, 6 * EPOCH));
        vm.prank(executor);
        (bool closed,) = address(court).call(abi.encodeCall(court.closePool, (at)));
        assertTrue(closed == (block.timestamp < at * EPOCH), "before its first second only");
    }

    /// @dev Even slots are honest, odd ones lies: an honest answer, once proven, cannot be challenged again.
    function honestOrLie(uint32 slot) internal view returns (Receipt memory receipt) {
        receipt = slot % 2 == 0 ? honest(slot) : lie(slot);
        if (_proven()) receipt.outputDigest = keccak256("a lie");
        // The same however much time has passed.
        receipt.issued = epoch * EPOCH;
        receipt.expires = receipt.issued + RECEIPT_LIFE;
        receipt.epoch = epoch;
    }

    function _proven() private view returns (bool) {
        return court.isProven(packedVersion, packed.cases[0].inputBinding, keccak256(packed.cases[0].output));
    }

    function _lastOpen(uint256[6] memory list, uint64[6] memory deadlines, uint256 count)
        private
        view
        returns (uint256 last)
    {
        for (uint256 i = 0; i < count; ++i) {
            if (claim(list[i]).state == ClaimState.OPEN) last = deadlines[i];
        }
    }
}
