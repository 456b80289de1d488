// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TrustMode} from "./ModelTypes.sol";

/// @notice How an output became final. `NONE`: it is not.
/// @dev `PROVEN`: a proof was verified. `UNCHALLENGED`: a challenge window passed without a challenge. `QUORUM`: enough
/// of the drawn executors gave the same bytes. `ATTESTED`: a key of the set that the request pins signed it.
enum Finality {
    NONE,
    PROVEN,
    UNCHALLENGED,
    QUORUM,
    ATTESTED
}

/// @notice The final output of a request; all zero while there is none.
/// @param versionId version that was asked.
/// @param mode trust mode that the request asked for.
/// @param how what made the output final.
/// @param finalAt second in which it became final, whenever somebody said so: of an unchallenged answer the first after
/// its window, of a quorum's that of its settlement, or the last for reveals if that is earlier.
/// @param bond stake that answered for it, in token units; rounded down to 2^88 - 1 if it was more.
/// @param outputDigest keccak256 of the packed output.
struct Result {
    uint64 versionId;
    TrustMode mode;
    Finality how;
    uint64 finalAt;
    uint128 bond;
    bytes32 outputDigest;
}

/// @notice Bounds that every market with records has, fixed at construction.
/// @param maxLifetime longest time from a request's creation to its deadline, in seconds; below 2^32.
/// @param maxCallbackGas most gas a callback may ask for.
/// @param maxInputLength longest packed input that may travel in a request, in bytes.
/// @param maxOutputLength longest packed output, in bytes.
struct RecordLimits {
    uint64 maxLifetime;
    uint32 maxCallbackGas;
    uint256 maxInputLength;
    uint256 maxOutputLength;
}
