// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice Life of a lazy request. OPEN -> LOCKED -> ANSWERED -> DISPUTED -> FINAL or SLASHED; ANSWERED -> FINAL; OPEN
/// or LOCKED -> REFUNDED. `FINAL`, `SLASHED` and `REFUNDED` never change. A request may enter at LOCKED or ANSWERED,
/// where one transaction does several steps.
enum LazyState {
    NONE,
    FINAL,
    OPEN,
    LOCKED,
    ANSWERED,
    DISPUTED,
    SLASHED,
    REFUNDED
}

/// @notice What a requester asks for: EIP-712 type `LazyInferenceRequest`, with these members in this order. Its digest
/// under the market's domain is the request's id, whether it was sent or signed.
/// @param requester who sends or signs it, and from whose balance it is paid.
/// @param versionId pinned version; it must allow `LAZY_ZK`.
/// @param inputDigest keccak256 of the packed input.
/// @param inputBinding what a proof must be tied to: `inputDigest` for `PACKED`; for `KZG` keccak256 of the commitments
/// (x, y), 64 bytes per input tensor in schema order.
/// @param maxPrice most that is paid, in token units; escrowed until a lock fixes the price; below 2^88.
/// @param minPrice price until the ramp starts, below `maxPrice`; zero where there is no ramp.
/// @param rampStart second from which the price rises in a straight line; zero where there is no ramp.
/// @param rampLength seconds until it reaches `maxPrice`, at the deadline at the latest; zero for no ramp, where
/// `maxPrice` is the price.
/// @param collateral backing that the lock uses up and a wrong answer costs, in token units; at least the market's
/// floor.
/// @param deadline last second at which the request may be locked or answered.
/// @param lockDuration seconds from the lock within which the executor must answer.
/// @param challengeWindow seconds from the answer within which it may be challenged.
/// @param responseWindow seconds for the proof that answers a challenge; at least the version's proof time.
/// @param auditBps probability, in basis points, with which the hash of a later block obliges the executor to prove.
/// @param executor only this account may lock; zero lets any executor lock.
/// @param callback contract that receives the output when it is final; zero for none.
/// @param callbackGas gas given to the callback.
/// @param nonce any number that the requester has not used at this market: nonces need no order.
/// @param inputHint where the input's bytes can be fetched; may be empty.
struct LazyRequest {
    address requester;
    uint64 versionId;
    bytes32 inputDigest;
    bytes32 inputBinding;
    uint128 maxPrice;
    uint128 minPrice;
    uint64 rampStart;
    uint32 rampLength;
    uint128 collateral;
    uint64 deadline;
    uint32 lockDuration;
    uint32 challengeWindow;
    uint32 responseWindow;
    uint16 auditBps;
    address executor;
    address callback;
    uint32 callbackGas;
    uint256 nonce;
    string inputHint;
}

/// @notice What a lock fixed. A `LOCKED` record holds its hash.
/// @param executor who locked, and must answer.
/// @param price what he is paid at finality; in escrow.
/// @param royaltyBps part of it that is the model's, in basis points.
/// @param lockBlock block of the lock.
/// @param lockDeadline last second in which he may answer.
struct LazyLock {
    address executor;
    uint128 price;
    uint16 royaltyBps;
    uint64 lockBlock;
    uint64 lockDeadline;
}

/// @notice An answer: the executor claims that this input to this version gives this output. An `ANSWERED` or
/// `DISPUTED` record holds its hash.
/// @param challengeDeadline last second in which it may be challenged.
/// @param answeredBlock block of the answer; the one after it draws the lot.
struct LazyClaim {
    uint256 requestId;
    uint64 versionId;
    address requester;
    address executor;
    bytes32 inputBinding;
    bytes32 inputDigest;
    bytes32 outputDigest;
    uint128 price;
    uint16 royaltyBps;
    uint128 collateral;
    uint64 challengeDeadline;
    uint32 responseWindow;
    uint16 auditBps;
    uint64 answeredBlock;
    address callback;
    uint32 callbackGas;
}

/// @notice Why, and until when, a claim must be proven; all zero where nobody doubts it.
/// @param challenger who doubts the claim, or showed that the lot fell on it; the reward of a slash is his.
/// @param bond what he put up; zero for an audit by lot.
/// @param deadline last second for a proof.
/// @param number counts the market's challenges, from 1; zero for an audit by lot, which stands in no queue.
struct LazyDispute {
    address challenger;
    uint128 bond;
    uint64 deadline;
    uint64 number;
}

/// @notice What an executor put behind his answers at this market, in token units. `used` is behind unfinished ones.
struct Backing {
    uint96 total;
    uint96 used;
}

/// @notice Bounds of a lazy market, fixed at construction, beside those of `RecordLimits`.
/// @param collateralFloor least collateral a request may ask for, in token units; above zero.
/// @param rewardBps a successful challenger's part of the collateral, in basis points; at most a quarter.
/// @param minLockDuration shortest lock, in seconds; above zero.
/// @param maxLockDuration longest lock.
/// @param minChallengeWindow shortest time for challenges, in seconds; above zero.
/// @param maxChallengeWindow longest time for challenges.
/// @param minResponseWindow shortest time for a proof, in seconds, whatever the version says; above zero.
/// @param maxResponseWindow longest time for a proof.
struct LazyLimits {
    uint128 collateralFloor;
    uint16 rewardBps;
    uint32 minLockDuration;
    uint32 maxLockDuration;
    uint32 minChallengeWindow;
    uint32 maxChallengeWindow;
    uint32 minResponseWindow;
    uint32 maxResponseWindow;
}
