// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice A request for the answer on which a quorum agrees, sent or signed. Its id is its EIP-712 digest.
/// @param requester who asks, and from whose balance it is paid.
/// @param versionId pinned version; it must allow `QUORUM`.
/// @param runtimeClass keccak256 of the canonical text of instruction set, onnxruntime version and options: members
/// enrolled for it.
/// @param inputDigest keccak256 of the input's bytes, which come with the request.
/// @param inputBinding the same: nothing else can be seen from here.
/// @param price what is paid for an answer, in token units, royalty included; below 2^88.
/// @param members how many are drawn.
/// @param threshold how many of them must agree; more than half.
/// @param minEligible least stake that could have been drawn, in token units.
/// @param deadline last second in which the request can be opened.
/// @param commitWindow seconds from the draw in which members may commit.
/// @param revealWindow seconds after that in which they may reveal.
/// @param callback contract that receives the output; zero for none.
/// @param callbackGas gas given to the callback.
/// @param nonce any number that the requester has not used.
/// @param inputHint where the input's bytes can be fetched by whoever opens a signed request; may be empty.
struct QuorumRequest {
    address requester;
    uint64 versionId;
    bytes32 runtimeClass;
    bytes32 inputDigest;
    bytes32 inputBinding;
    uint128 price;
    uint8 members;
    uint8 threshold;
    uint128 minEligible;
    uint64 deadline;
    uint32 commitWindow;
    uint32 revealWindow;
    address callback;
    uint32 callbackGas;
    uint256 nonce;
    string inputHint;
}

/// @notice A request whose members are drawn.
/// @param commitDeadline last second for commitments.
/// @param revealDeadline last second for reveals.
/// @param members who sit, in the order of the draw: a member's seat is its index.
struct QuorumRound {
    uint256 requestId;
    address requester;
    uint64 versionId;
    bytes32 runtimeClass;
    bytes32 inputDigest;
    uint128 price;
    uint8 threshold;
    uint64 commitDeadline;
    uint64 revealDeadline;
    address callback;
    uint32 callbackGas;
    address[] members;
}

/// @notice What a request has come to. OPEN -> DRAWN -> FINAL, or from OPEN or DRAWN to REFUNDED.
/// @dev The numbers of the stored record.
enum QuorumState {
    NONE,
    FINAL,
    OPEN,
    DRAWN,
    REFUNDED
}

/// @notice What the holder of a seat has done in a round that is not settled.
enum SeatState {
    SILENT,
    COMMITTED,
    REVEALED
}

/// @notice Why a request was refunded. `NOT_ENOUGH_MEMBERS`: too few could sit, or too little stake could be drawn.
/// `SEED_MISSED`: nobody drew while the chain knew the seed. `NO_QUORUM`: too few agreed.
enum RefundReason {
    NOT_ENOUGH_MEMBERS,
    SEED_MISSED,
    NO_QUORUM
}

/// @notice What a member works for.
/// @param capacity most rounds in which it sits at once.
/// @param minPrice least that a seat must pay when all members agree, in token units.
/// @param minSeconds least time from the draw to the end of the commitments, in seconds.
struct MemberTerms {
    uint16 capacity;
    uint72 minPrice;
    uint24 minSeconds;
}

/// @notice An account's enrolment for one version and runtime class, in one slot. All zero but `position` where it is
/// not enrolled.
/// @param stake what it has at stake there, in token units; locked in `ExecutorStaking` under one claim.
/// @param position its place in the pool's tree, from 1 and for good; zero where it never enrolled.
/// @param openSeats rounds in which it sits.
/// @param isAwake whether its stake counts for draws.
struct Member {
    uint88 stake;
    uint32 position;
    uint16 capacity;
    uint16 openSeats;
    uint72 minPrice;
    uint24 minSeconds;
    bool isAwake;
}

/// @notice How a seat ends. `OUTVOTED`: another output than the quorum's. `SILENT`: nothing revealed.
enum SeatEnd {
    FREE,
    OUTVOTED,
    SILENT
}

/// @notice What a round asks of a draw.
/// @param blockNumber the weights of whose end count.
/// @param seed decides the order.
/// @param seats how many.
/// @param seatPrice what each pays at least.
/// @param workSeconds time that members have for their commitments.
/// @param minEligible least stake that must be left when the weights of all who were met and whose seats other rounds
/// take are taken off.
struct Draw {
    uint256 blockNumber;
    bytes32 seed;
    uint256 seats;
    uint256 seatPrice;
    uint256 workSeconds;
    uint256 minEligible;
}

/// @notice What members put up, fixed at construction.
/// @param minStake least stake of an enrolment, in token units; at least `seatBond`.
/// @param seatBond what a member loses who does not commit and reveal; at least `outlierSlash`.
/// @param outlierSlash what a member loses who reveals another output than the quorum; above zero.
struct MemberLimits {
    uint88 minStake;
    uint88 seatBond;
    uint88 outlierSlash;
}

/// @notice Bounds of rounds, fixed at construction.
/// @param minMembers fewest members of a round; above one.
/// @param maxMembers most; at most 32.
/// @param seedDelay blocks from a request to the block whose hash is its seed; above zero.
/// @param minWindow shortest time to commit, and to reveal, in seconds.
/// @param maxWindow longest.
struct RoundLimits {
    uint8 minMembers;
    uint8 maxMembers;
    uint8 seedDelay;
    uint32 minWindow;
    uint32 maxWindow;
}
