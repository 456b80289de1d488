// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReceiptCourt} from "./interfaces/IReceiptCourt.sol";
import {Receipts} from "./libraries/Receipts.sol";
import {Claim, ClaimState} from "./types/ReceiptTypes.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Claims and the order in which they must be answered
/// @notice An executor's open claims form a queue by their deadlines: each new one gets a whole response window after
/// the last that is still open, so that many challenges at once do not kill. Any claim may leave the queue at any time.
abstract contract ReceiptClaims is IReceiptCourt {
    using SafeCast for uint256;

    /// @dev Four slots. A commitment writes the first two; the challenge reuses them and adds the others.
    /// @param time block of the commitment, then the deadline.
    /// @param subject the commitment, then what is to be proven.
    /// @param next claim that came into the executor's queue after this one; zero for the last.
    /// @param previous claim before; zero for the first.
    struct StoredClaim {
        address challenger;
        uint40 time;
        ClaimState state;
        uint32 slot;
        bytes32 subject;
        uint40 poolId;
        uint64 versionId;
        uint40 next;
        uint40 previous;
        address beneficiary;
        uint96 price;
    }

    /// @dev One slot, never zero again after the first challenge.
    struct Queue {
        uint40 last;
        uint40 open;
        uint40 everOpened;
    }

    mapping(uint256 claimId => StoredClaim) internal _claims;
    mapping(bytes32 subject => bool) internal _proven;
    mapping(address executor => Queue) private _queues;
    uint40 private _claimCount;

    /// @inheritdoc IReceiptCourt
    function claimCount() external view returns (uint256) {
        return _claimCount;
    }

    /// @inheritdoc IReceiptCourt
    function claimOf(uint256 claimId) external view returns (Claim memory shown) {
        StoredClaim storage claim = _claims[claimId];
        shown.state = claim.state;
        shown.challenger = claim.challenger;
        if (claim.poolId == 0) {
            shown.committedBlock = claim.time;
            shown.commitment = claim.subject;
            return shown;
        }
        shown.deadline = claim.time;
        shown.subject = claim.subject;
        shown.versionId = claim.versionId;
        shown.poolId = claim.poolId;
        shown.slot = claim.slot;
        shown.beneficiary = claim.beneficiary;
        shown.price = claim.price;
    }

    /// @inheritdoc IReceiptCourt
    function queueOf(address executor) external view returns (uint256 open, uint64 lastDeadline, uint256 everOpened) {
        Queue storage queue = _queues[executor];
        if (queue.last != 0) lastDeadline = _claims[queue.last].time;
        return (queue.open, lastDeadline, queue.everOpened);
    }

    /// @inheritdoc IReceiptCourt
    function isProven(uint64 versionId, bytes32 inputBinding, bytes32 outputDigest) external view returns (bool) {
        return _proven[Receipts.subject(versionId, inputBinding, outputDigest)];
    }

    /// @inheritdoc IReceiptCourt
    function commitmentOf(address challenger, bytes32 digest, bytes32 salt) external pure returns (bytes32) {
        return Receipts.commitment(challenger, digest, salt);
    }

    /// @inheritdoc IReceiptCourt
    function pairDigestOf(bytes32 first, bytes32 second) external pure returns (bytes32) {
        return Receipts.pairDigest(first, second);
    }

    /// @dev Enters a commitment of the caller. Block numbers stay below 2^40 for 8,000 years at four a second.
    function _enter(bytes32 commitment) internal returns (uint256 claimId) {
        claimId = ++_claimCount;
        StoredClaim storage claim = _claims[claimId];
        claim.challenger = msg.sender;
        claim.time = uint40(block.number);
        claim.state = ClaimState.COMMITTED;
        claim.subject = commitment;
    }

    /// @dev The claim, if it is an unopened commitment of the caller.
    function _committed(uint256 claimId) internal view returns (StoredClaim storage claim) {
        claim = _claims[claimId];
        (ClaimState state, address challenger) = (claim.state, claim.challenger);
        if (state != ClaimState.COMMITTED) revert ReceiptCourt_NotCommitted(claimId, state);
        if (challenger != msg.sender) revert ReceiptCourt_NotChallenger(claimId, msg.sender);
    }

    /// @dev The claim, if the caller committed to exactly this in an earlier block.
    function _opened(uint256 claimId, bytes32 digest, bytes32 salt) internal view returns (StoredClaim storage claim) {
        claim = _committed(claimId);
        if (claim.time == block.number) revert ReceiptCourt_CommittedInThisBlock(claimId);
        bytes32 commitment = Receipts.commitment(msg.sender, digest, salt);
        if (commitment != claim.subject) revert ReceiptCourt_OtherCommitment(claimId, commitment, claim.subject);
    }

    /// @dev Last into the executor's queue.
    /// @return deadline a whole window after the later of now and the last open deadline; the caller enters it.
    /// @return previous claim before this one, which the caller enters as well.
    function _enqueue(address executor, uint256 claimId, uint64 window)
        internal
        returns (uint40 deadline, uint40 previous)
    {
        Queue memory queue = _queues[executor];
        uint256 from = block.timestamp;
        previous = queue.last;
        if (previous != 0) {
            StoredClaim storage before = _claims[previous];
            uint256 lastDeadline = before.time;
            if (lastDeadline > from) from = lastDeadline;
            before.next = uint40(claimId);
        }
        // A queue that were longer than 34,000 years takes no more: a deadline that does not fit must not come early.
        deadline = (from + window).toUint40();
        // One write for all three.
        _queues[executor] = Queue({last: uint40(claimId), open: queue.open + 1, everOpened: queue.everOpened + 1});
    }

    /// @dev Out of the executor's queue, wherever it stands there.
    function _dequeue(address executor, StoredClaim storage claim) internal {
        Queue storage queue = _queues[executor];
        (uint40 next, uint40 previous) = (claim.next, claim.previous);
        if (previous != 0) _claims[previous].next = next;
        if (next != 0) _claims[next].previous = previous;
        else queue.last = previous;
        --queue.open;
    }
}
