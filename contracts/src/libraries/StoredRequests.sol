// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Request, RequestParams, RequestState} from "../types/MarketTypes.sol";
import {TrustMode} from "../types/ModelTypes.sol";
import {PriceRamps} from "./PriceRamps.sol";
import {RequestFlags} from "./RequestFlags.sol";

/// @notice What matters of a request until it is paid, in one slot: the output digest takes its place.
/// @param price amount in escrow: the most that was offered, or the lock's price.
/// @param flags see `RequestFlags`.
struct Pending {
    uint88 price;
    uint16 royaltyBps;
    uint40 deadline;
    uint24 lockDuration;
    uint40 lockDeadline;
    uint40 lockBlock;
    uint8 flags;
}

/// @notice How a price rises, in one slot.
struct Ramp {
    uint88 maxPrice;
    uint88 minPrice;
    uint40 start;
    uint24 length;
}

/// @notice A request in storage, packed for the fulfilment: that reads the first three slots, writes the first two and
/// needs no fresh one. Named executor, callback, input digest and ramp take a slot only where they are there.
/// @param paidEpoch block of the payment divided by 256; zero before.
/// @param inputDigest zero where it equals `inputBinding` (always, for `PACKED`).
struct StoredRequest {
    address executor;
    uint64 versionId;
    RequestState state;
    uint24 paidEpoch;
    Pending pending;
    bytes32 inputBinding;
    address requester;
    uint88 collateral;
    TrustMode mode;
    address callback;
    uint32 callbackGas;
    address namedExecutor;
    bytes32 inputDigest;
    Ramp ramp;
}

/// @title Requests as the market stores them
library StoredRequests {
    /// @dev 2^8 blocks make an epoch, so that 2^32 blocks fit 24 bits.
    uint256 private constant EPOCH_BITS = 8;
    /// @dev Tells the two claim ids of a request apart.
    bytes32 private constant SECOND_CLAIM_BIT = bytes32(uint256(1 << 255));

    /// @notice Writes a new request, open.
    /// @dev The caller has checked that everything fits: amounts are below 2^88, lock duration and ramp below 2^24, and
    /// the deadline, which the ramp does not pass, below 2^40.
    function open(StoredRequest storage stored, RequestParams calldata params, address requester, uint16 royaltyBps)
        internal
    {
        stored.versionId = params.versionId;
        stored.state = RequestState.OPEN;
        // Zero needs no write: a fresh slot costs nothing where it stays empty.
        uint8 flags;
        if (params.rampLength != 0) {
            flags = RequestFlags.RAMP;
            stored.ramp = Ramp({
                maxPrice: uint88(params.maxPrice),
                minPrice: uint88(params.minPrice),
                start: uint40(params.rampStart),
                length: uint24(params.rampLength)
            });
        }
        if (params.callback != address(0)) {
            flags |= RequestFlags.CALLBACK;
            stored.callback = params.callback;
            stored.callbackGas = params.callbackGas;
        }
        stored.pending = Pending({
            price: uint88(params.maxPrice),
            royaltyBps: royaltyBps,
            deadline: uint40(params.deadline),
            lockDuration: uint24(params.lockDuration),
            lockDeadline: 0,
            lockBlock: 0,
            flags: flags
        });
        stored.inputBinding = params.inputBinding;
        stored.requester = requester;
        stored.collateral = uint88(params.collateral);
        stored.mode = params.mode;
        if (params.executor != address(0)) stored.namedExecutor = params.executor;
        if (params.inputDigest != params.inputBinding) stored.inputDigest = params.inputDigest;
    }

    /// @notice Enters a lock, the first or one after a lock that was missed.
    /// @param pending what `loadPending` said; the new state of it is written.
    /// @dev `lockDeadline` is at most the request's deadline; block numbers stay below 2^40 for 8,000 years at four a
    /// second.
    function lock(
        StoredRequest storage stored,
        Pending memory pending,
        address executor,
        uint256 price,
        uint256 lockDeadline
    ) internal {
        if (stored.state == RequestState.LOCKED) {
            pending.flags = (pending.flags ^ RequestFlags.SECOND_CLAIM) | RequestFlags.MISSED;
        }
        pending.price = uint88(price);
        pending.lockDeadline = uint40(lockDeadline);
        pending.lockBlock = uint40(block.number);
        stored.executor = executor;
        stored.state = RequestState.LOCKED;
        _storePending(stored, pending);
    }

    /// @notice Enters the payment: what was pending gives its place to the output's digest, and a ramp its own to the
    /// price that it came to, so that contracts can tell what came back to them.
    /// @param pending what was pending.
    function pay(StoredRequest storage stored, Pending memory pending, bytes32 digest) internal {
        stored.state = RequestState.PAID;
        stored.paidEpoch = uint24(block.number >> EPOCH_BITS);
        Pending storage at = stored.pending;
        // Assembly: `Pending` is one slot to the bit, which Solidity cannot write as a whole word.
        assembly ("memory-safe") {
            sstore(at.slot, digest)
        }
        if (pending.flags & RequestFlags.RAMP == 0) return;
        Ramp storage ramp = stored.ramp;
        uint256 price = pending.price;
        // The same: `maxPrice` is in the lowest bits, and all the others are zero.
        assembly ("memory-safe") {
            sstore(ramp.slot, price)
        }
    }

    /// @notice What is pending, by one read.
    /// @dev By hand: Solidity would read the slot once for each of the seven members. From the lowest bit, in the order
    /// of the struct, as https://docs.soliditylang.org/en/v0.8.30/internals/layout_in_storage.html has it.
    function loadPending(StoredRequest storage stored) internal view returns (Pending memory pending) {
        Pending storage at = stored.pending;
        uint256 word;
        assembly ("memory-safe") {
            word := sload(at.slot)
        }
        pending.price = uint88(word);
        pending.royaltyBps = uint16(word >> 88);
        pending.deadline = uint40(word >> 104);
        pending.lockDuration = uint24(word >> 144);
        pending.lockDeadline = uint40(word >> 168);
        pending.lockBlock = uint40(word >> 208);
        pending.flags = uint8(word >> 248);
    }

    /// @notice Stake of the present lock's executor is locked under this id.
    function claimId(uint256 requestId, uint8 flags) internal pure returns (bytes32) {
        return flags & RequestFlags.SECOND_CLAIM == 0 ? bytes32(requestId) : bytes32(requestId) ^ SECOND_CLAIM_BIT;
    }

    /// @notice Stake of the executor who missed the lock before the present one is locked under this id, where
    /// `RequestFlags.MISSED` says that there is one.
    function missedClaimId(uint256 requestId, uint8 flags) internal pure returns (bytes32) {
        return claimId(requestId, flags ^ RequestFlags.SECOND_CLAIM);
    }

    /// @notice What a first lock would be paid now.
    function priceNow(StoredRequest storage stored, Pending memory pending) internal view returns (uint256) {
        if (pending.flags & RequestFlags.RAMP == 0) return pending.price;
        Ramp memory ramp = stored.ramp;
        return PriceRamps.priceAt(ramp.minPrice, ramp.maxPrice, ramp.start, ramp.length, block.timestamp);
    }

    /// @notice The request for reading.
    function view_(StoredRequest storage stored) internal view returns (Request memory shown) {
        shown.requester = stored.requester;
        shown.versionId = stored.versionId;
        shown.state = stored.state;
        shown.mode = stored.mode;
        shown.inputDigest = inputDigestOf(stored);
        shown.inputBinding = stored.inputBinding;
        shown.collateral = stored.collateral;
        shown.callbackGas = stored.callbackGas;
        shown.namedExecutor = stored.namedExecutor;
        shown.executor = stored.executor;
        shown.callback = stored.callback;
        Pending storage pending = stored.pending;
        if (shown.state == RequestState.PAID) {
            bytes32 digest;
            assembly ("memory-safe") {
                digest := sload(pending.slot)
            }
            shown.outputDigest = digest;
            shown.price = stored.ramp.maxPrice;
            shown.paidBlock = uint64(stored.paidEpoch) << uint64(EPOCH_BITS);
            return shown;
        }
        shown.royaltyBps = pending.royaltyBps;
        shown.price = pending.price;
        Ramp memory ramp = _rampOf(stored, pending.flags, pending.price);
        shown.maxPrice = ramp.maxPrice;
        shown.minPrice = ramp.minPrice;
        shown.rampStart = ramp.start;
        shown.rampLength = ramp.length;
        shown.deadline = pending.deadline;
        shown.lockDeadline = pending.lockDeadline;
        shown.lockDuration = pending.lockDuration;
        shown.lockBlock = pending.lockBlock;
    }

    /// @notice keccak256 of requester, version, mode, input binding, most and least price, ramp's start and length,
    /// royalty, collateral, deadline, lock duration, named executor, callback and its gas, in this order, ABI-encoded:
    /// one digest for all that an executor agrees to by locking.
    /// @dev None of them changes before the request is paid. Encoded in halves: every value takes one word, so the
    /// concatenation is the encoding of all fifteen, which the stack has no room for.
    function termsHash(StoredRequest storage stored) internal view returns (bytes32) {
        Pending memory pending = loadPending(stored);
        Ramp memory ramp = _rampOf(stored, pending.flags, pending.price);
        bytes memory head = abi.encode(
            stored.requester,
            stored.versionId,
            stored.mode,
            stored.inputBinding,
            ramp.maxPrice,
            ramp.minPrice,
            ramp.start,
            ramp.length
        );
        bytes memory tail = abi.encode(
            pending.royaltyBps,
            stored.collateral,
            pending.deadline,
            pending.lockDuration,
            stored.namedExecutor,
            stored.callback,
            stored.callbackGas
        );
        return keccak256(bytes.concat(head, tail));
    }

    /// @notice keccak256 of the packed input as the requester stated it.
    function inputDigestOf(StoredRequest storage stored) internal view returns (bytes32 digest) {
        digest = stored.inputDigest;
        if (digest == 0) digest = stored.inputBinding;
    }

    /// @dev The ramp, or a flat price, which is what is in escrow.
    function _rampOf(StoredRequest storage stored, uint8 flags, uint88 price) private view returns (Ramp memory ramp) {
        if (flags & RequestFlags.RAMP != 0) return stored.ramp;
        ramp.maxPrice = price;
    }

    /// @dev The reverse of `loadPending`, by one write.
    function _storePending(StoredRequest storage stored, Pending memory pending) private {
        uint256 word = pending.price | uint256(pending.royaltyBps) << 88 | uint256(pending.deadline) << 104
            | uint256(pending.lockDuration) << 144 | uint256(pending.lockDeadline) << 168 | uint256(pending.lockBlock)
            << 208 | uint256(pending.flags) << 248;
        Pending storage at = stored.pending;
        assembly ("memory-safe") {
            sstore(at.slot, word)
        }
    }
}
