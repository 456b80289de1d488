// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TrustMode} from "./ModelTypes.sol";

/// @notice Stored life of a request. `EXPIRED` is not stored: it is computed by `statusOf`.
enum RequestState {
    NONE,
    OPEN,
    LOCKED,
    PAID,
    REFUNDED
}

/// @notice Why an id of a batch was left out, while others were paid. `NOT_LOCKED` says that no lock is to be answered
/// under it: the request is open or has ended, an earlier row of the same batch has just answered it, or there is none.
enum SkipReason {
    NONE,
    NOT_LOCKED,
    NOT_LOCK_HOLDER,
    EXPIRED,
    LOCKED_IN_THIS_BLOCK
}

/// @notice What a requester asks for.
/// @param versionId pinned version.
/// @param mode how the output becomes final; the version must allow it.
/// @param inputDigest keccak256 of the packed input.
/// @param inputBinding what the proof must be tied to: `inputDigest` for `PACKED`; for `KZG` keccak256 of the
/// commitments (x, y), 64 bytes per input tensor in schema order.
/// @param maxPrice most that is paid, in token units; escrowed until a lock fixes the price; below 2^88.
/// @param minPrice price until the ramp starts, below `maxPrice`; zero where there is no ramp.
/// @param rampStart second from which the price rises in a straight line; zero where there is no ramp.
/// @param rampLength seconds until it reaches `maxPrice`, at the deadline at the latest; zero for no ramp, where
/// `maxPrice` is the price.
/// @param collateral stake that an executor must lock, in token units; at least the market's floor and below 2^88.
/// @param deadline last second at which the request may be locked or fulfilled.
/// @param lockDuration seconds from the lock within which the executor must fulfil.
/// @param executor only this account may lock; zero lets any executor lock.
/// @param callback contract that receives the output; zero for none.
/// @param callbackGas gas given to the callback.
struct RequestParams {
    uint64 versionId;
    TrustMode mode;
    bytes32 inputDigest;
    bytes32 inputBinding;
    uint128 maxPrice;
    uint128 minPrice;
    uint64 rampStart;
    uint32 rampLength;
    uint128 collateral;
    uint64 deadline;
    uint32 lockDuration;
    address executor;
    address callback;
    uint32 callbackGas;
}

/// @notice A request that its requester signed instead of sending it. Its id is its EIP-712 digest, so everybody knows
/// it before it is on chain.
/// @param requester who signs, and from whose balance it is paid.
/// @param nonce any number that the requester has not used: nonces need no order.
/// @param inputHint where the input's bytes can be fetched; may be empty.
struct SignedRequest {
    address requester;
    RequestParams params;
    uint256 nonce;
    string inputHint;
}

/// @notice A request as `requestOf` shows it. Values copied at creation are never changed while the request is
/// unfinished or after a refund. Once it is paid, what is spent (prices, ramp, royalty, deadlines, lock duration, lock
/// block) has given its place to `outputDigest` and reads as zero; `RequestFulfilled` has told what was paid.
/// @param price amount in escrow: `maxPrice` while the request is open, the first lock's price from then on; of a paid
/// request what was paid if it had a ramp, else zero.
/// @param lockDeadline last second in which the holder of the lock may fulfil; zero before a lock.
/// @param lockBlock block of the lock; zero before a lock.
/// @param executor who locked it last, and answered it where it is paid.
/// @param outputDigest keccak256 of the packed output; zero unless it is paid.
/// @param paidBlock first of the 256 blocks, counted from block 0, in one of which it was paid: where to look for
/// `RequestFulfilled`. Zero unless it is paid.
struct Request {
    address requester;
    uint64 versionId;
    RequestState state;
    TrustMode mode;
    uint16 royaltyBps;
    bytes32 inputDigest;
    bytes32 inputBinding;
    uint128 price;
    uint128 maxPrice;
    uint128 minPrice;
    uint64 rampStart;
    uint32 rampLength;
    uint128 collateral;
    uint64 deadline;
    uint64 lockDeadline;
    uint32 lockDuration;
    uint32 callbackGas;
    uint64 lockBlock;
    address namedExecutor;
    address executor;
    address callback;
    bytes32 outputDigest;
    uint64 paidBlock;
}

/// @notice ERC-2612 permit over the market's token, owner = caller, spender = market.
struct Permit {
    uint256 value;
    uint256 deadline;
    uint8 v;
    bytes32 r;
    bytes32 s;
}

/// @notice Bounds of a market, fixed at construction.
/// @param collateralFloor least collateral a request may ask for, in token units; above zero.
/// @param maxLifetime longest time from a request's creation to its deadline, in seconds; below 2^32.
/// @param minLockDuration shortest lock, in seconds.
/// @param maxLockDuration longest lock, in seconds; below 2^24.
/// @param maxCallbackGas most gas a callback may ask for.
/// @param maxInputLength longest packed input that may travel in a request, in bytes.
struct Limits {
    uint128 collateralFloor;
    uint64 maxLifetime;
    uint32 minLockDuration;
    uint32 maxLockDuration;
    uint32 maxCallbackGas;
    uint256 maxInputLength;
}
