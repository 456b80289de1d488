// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice What an executor signs when it answers off chain: this input to this version gives this output.
/// @dev EIP-712, in this order and with these types. Nothing else that the network signs has this type.
/// @param versionId pinned version.
/// @param inputBinding what a proof must be tied to: keccak256 of the packed input for `PACKED`; for `KZG` keccak256 of
/// the commitments (x, y), 64 bytes per input tensor in schema order.
/// @param inputDigest keccak256 of the packed input where `inputBinding` is something else; zero where it is the same.
/// @param outputDigest keccak256 of the packed output.
/// @param executor who answers for it with a slot of his pool.
/// @param beneficiary who is compensated if the output is wrong, whoever brings the receipt; zero for nobody.
/// @param price what was paid for the answer, in token units: the most that the beneficiary can get.
/// @param bond stake behind the receipt, in token units: the bond of the epoch's pool, exactly.
/// @param issued second of the signature; it lies in `epoch`.
/// @param expires last second in which the receipt may be challenged.
/// @param epoch whose pool backs the receipt.
/// @param slot which of the pool's bonds backs it: below the pool's capacity, and used for one receipt only.
struct Receipt {
    uint64 versionId;
    bytes32 inputBinding;
    bytes32 inputDigest;
    bytes32 outputDigest;
    address executor;
    address beneficiary;
    uint128 price;
    uint128 bond;
    uint64 issued;
    uint64 expires;
    uint64 epoch;
    uint32 slot;
}

/// @notice Why a receipt is worth nothing, or cannot be challenged now. The first that applies, in this order.
enum ReceiptFlaw {
    NONE,
    NO_POOL,
    BEYOND_CAPACITY,
    OTHER_BOND,
    OTHER_EPOCH,
    NOT_YET_ISSUED,
    LIFE_OUT_OF_RANGE,
    FOREIGN_SIGNATURE,
    EXPIRED,
    SLOT_SLASHED
}

/// @notice Life of a pool. `RELEASED`: every receipt of its epoch is dead, every claim is final, and nothing is locked
/// any more.
enum PoolState {
    NONE,
    OPEN,
    RELEASED
}

/// @notice What a slot is worth. `WORTHLESS`: no pool, or beyond its capacity.
enum SlotState {
    WORTHLESS,
    INTACT,
    SLASHED
}

/// @notice Life of a claim. COMMITTED -> WITHDRAWN, REPORTED or OPEN; OPEN -> PROVEN, SLASHED or MOOT. The last five
/// are final.
/// @dev `REPORTED`: the commitment was opened as a report of equivocation. `MOOT`: no proof came, but another claim had
/// taken the slot's bond.
enum ClaimState {
    NONE,
    COMMITTED,
    WITHDRAWN,
    REPORTED,
    OPEN,
    PROVEN,
    SLASHED,
    MOOT
}

/// @notice A pool as `poolOf` shows it: what a client needs to know before it takes a receipt.
/// @param receiptKey signs the epoch's receipts; as registered with the stake when the pool was opened.
/// @param bond stake behind each slot.
/// @param challengeBond what a challenger of one of its receipts puts up.
/// @param slashedSlots how many of the bonds are gone.
/// @param openClaims challenges of its receipts that are not final.
/// @param reporter who showed two receipts for one slot; zero while nobody did. Then none of the pool ever returns to
/// its executor.
/// @param locked stake that backs it now.
/// @param starts first second of the epoch.
/// @param ends first second after it.
/// @param releasableAt first second in which no receipt of the epoch can be challenged any more.
/// @param inExit whether stake that the executor allocated to the court is leaving: clients refuse his receipts.
struct Pool {
    uint256 poolId;
    PoolState state;
    address receiptKey;
    uint128 bond;
    uint128 challengeBond;
    uint32 capacity;
    uint32 slashedSlots;
    uint32 openClaims;
    address reporter;
    uint256 locked;
    uint64 starts;
    uint64 ends;
    uint64 releasableAt;
    bool inExit;
}

/// @notice A claim as `claimOf` shows it. Before it is open only the first four are there.
/// @param committedBlock block of the commitment; zero once it is opened.
/// @param commitment what was committed to; zero once it is opened.
/// @param deadline last second for a proof.
/// @param subject hash of version, input binding and output digest: what one proof settles.
struct Claim {
    ClaimState state;
    address challenger;
    uint64 committedBlock;
    bytes32 commitment;
    uint64 deadline;
    bytes32 subject;
    uint64 versionId;
    uint256 poolId;
    uint32 slot;
    address beneficiary;
    uint128 price;
}

/// @notice Constants of a court, fixed at construction.
/// @param epochLength seconds of an epoch.
/// @param maxReceiptLife longest time from `issued` to `expires`, in seconds.
/// @param responseWindow seconds for the proof that answers a challenge.
/// @param minBond least bond of a slot, in token units.
/// @param minChallengeBond least bond that a pool may ask of challengers.
/// @param maxChallengeBond most; every commitment holds this much until it is opened.
/// @param maxCapacity most slots of a pool.
/// @param rewardBps a successful challenger's part of the slot's bond, in basis points.
/// @param executorBps the executor's part of a failed challenger's bond, in basis points; the rest burns.
/// @param maxInputLength longest packed input that a challenge may carry, in bytes.
struct CourtLimits {
    uint64 epochLength;
    uint64 maxReceiptLife;
    uint64 responseWindow;
    uint128 minBond;
    uint128 minChallengeBond;
    uint128 maxChallengeBond;
    uint32 maxCapacity;
    uint16 rewardBps;
    uint16 executorBps;
    uint256 maxInputLength;
}
