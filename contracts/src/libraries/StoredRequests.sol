// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Request, RequestParams, RequestState} from "../types/MarketTypes.sol";
import {TrustMode} from "../types/ModelTypes.sol";

/// @notice What matters of a request until it is paid, in one slot: the output digest takes its place.
/// @param hasCallback whether there is one to look up; set by the lock.
struct Pending {
    uint88 price;
    uint16 royaltyBps;
    uint40 deadline;
    uint24 lockDuration;
    uint40 lockDeadline;
    uint40 lockBlock;
    bool hasCallback;
}

/// @notice A request in storage, packed for the fulfilment: that reads the first three slots, writes the first two and
/// needs no fresh one. Named executor, callback and input digest take a slot only where they are there.
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
}

/// @title Requests as the market stores them
library StoredRequests {
    /// @dev 2^8 blocks make an epoch, so that 2^32 blocks fit 24 bits.
    uint256 private constant EPOCH_BITS = 8;

    /// @notice Writes a new request, open.
    /// @dev The caller has checked that everything fits: amounts are below 2^88, the lock duration below 2^24, and the
    /// deadline below 2^40.
    function open(StoredRequest storage stored, RequestParams calldata params, address requester, uint16 royaltyBps)
        internal
    {
        stored.versionId = params.versionId;
        stored.state = RequestState.OPEN;
        stored.pending = Pending({
            price: uint88(params.price),
            royaltyBps: royaltyBps,
            deadline: uint40(params.deadline),
            lockDuration: uint24(params.lockDuration),
            lockDeadline: 0,
            lockBlock: 0,
            hasCallback: false
        });
        stored.inputBinding = params.inputBinding;
        stored.requester = requester;
        stored.collateral = uint88(params.collateral);
        stored.mode = params.mode;
        // Zero needs no write: a fresh slot costs nothing where it stays empty.
        if (params.callback != address(0)) {
            stored.callback = params.callback;
            stored.callbackGas = params.callbackGas;
        }
        if (params.executor != address(0)) stored.namedExecutor = params.executor;
        if (params.inputDigest != params.inputBinding) stored.inputDigest = params.inputDigest;
    }

    /// @notice Enters a lock.
    /// @dev `lockDeadline` is at most the request's deadline; block numbers stay below 2^40 for 8,000 years at four a
    /// second.
    function lock(StoredRequest storage stored, address executor, uint256 lockDeadline) internal {
        stored.executor = executor;
        stored.state = RequestState.LOCKED;
        stored.pending.lockDeadline = uint40(lockDeadline);
        stored.pending.lockBlock = uint40(block.number);
        stored.pending.hasCallback = stored.callback != address(0);
    }

    /// @notice Enters the payment: what was pending gives its place to the output's digest.
    function pay(StoredRequest storage stored, bytes32 digest) internal {
        stored.state = RequestState.PAID;
        stored.paidEpoch = uint24(block.number >> EPOCH_BITS);
        Pending storage pending = stored.pending;
        // Assembly: `Pending` is one slot to the bit, which Solidity cannot write as a whole word.
        assembly ("memory-safe") {
            sstore(pending.slot, digest)
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
        pending.hasCallback = word >> 248 != 0;
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
            shown.paidBlock = uint64(stored.paidEpoch) << uint64(EPOCH_BITS);
            return shown;
        }
        shown.royaltyBps = pending.royaltyBps;
        shown.price = pending.price;
        shown.deadline = pending.deadline;
        shown.lockDeadline = pending.lockDeadline;
        shown.lockDuration = pending.lockDuration;
        shown.lockBlock = pending.lockBlock;
    }

    /// @notice keccak256 of requester, version, mode, input binding, price, royalty, collateral, deadline, lock
    /// duration, named executor, callback and its gas, in this order, ABI-encoded: one digest for all that an executor
    /// agrees to by locking.
    /// @dev None of them changes before the request is paid. Encoded in halves: every value takes one word, so the
    /// concatenation is the encoding of all twelve, which the stack has no room for.
    function termsHash(StoredRequest storage stored) internal view returns (bytes32) {
        Pending memory pending = loadPending(stored);
        bytes memory head = abi.encode(
            stored.requester, stored.versionId, stored.mode, stored.inputBinding, pending.price, pending.royaltyBps
        );
        bytes memory tail = abi.encode(
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
}
