// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TrustMode} from "../types/ModelTypes.sol";
import {Finality} from "../types/RecordTypes.sol";

/// @notice The markets whose results a board shows; zero where there is none of that kind.
struct Markets {
    address zk;
    address lazyZk;
    address quorum;
    address attested;
}

/// @notice What a reader of results believes.
/// @param modes bitmask of trust modes, bit `1 << uint8(mode)`.
/// @param minBond least stake that must have answered for an output, in token units. Proven outputs pass any.
/// @param runtimeClass where `QUORUM` is among the modes: whose quorums count.
/// @param verifier where `ATTESTED` is among the modes: the contract that must have accepted the evidence,
/// @param policy and by what it decided.
struct Acceptance {
    uint8 modes;
    uint128 minBond;
    bytes32 runtimeClass;
    address verifier;
    bytes32 policy;
}

/// @notice A result on the board; all zero, `how` `NONE`, where there is none.
/// @param market where the request was made, under this id.
/// @param mode trust mode that the request asked for.
/// @param how what made the output final.
/// @param finalAt second in which it became final; of a result of the market of mode `ZK`, which does not keep it, when
/// it was published.
/// @param bond stake that answered for it, in token units; 2^88 - 1 for proven outputs, and for no others.
/// @param outputDigest keccak256 of the packed output.
struct BoardResult {
    address market;
    uint256 requestId;
    TrustMode mode;
    Finality how;
    uint64 finalAt;
    uint128 bond;
    bytes32 outputDigest;
}
