// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TrustMode} from "../types/ModelTypes.sol";
import {Finality, Result} from "../types/RecordTypes.sol";

/// @title One word for a request, and one more once it is final
/// @notice A record is `state << 248 | 248 bits of details`: of the hash of what must be shown to go on, or, where the
/// output is final, of the output's digest. The state is part of the word, so a digest made to look like a hash of
/// details does not help: nothing final is ever looked at as anything else.
library Records {
    /// @notice State of an id that nobody used; every market's first.
    uint8 internal constant NONE = 0;
    /// @notice State of a request whose output is final; every market's second.
    uint8 internal constant FINAL = 1;

    uint256 private constant DETAILS = type(uint256).max >> 8;

    /// @notice The record of a state with these details.
    function pack(uint8 state, bytes32 details) internal pure returns (uint256) {
        return uint256(state) << 248 | uint256(details) & DETAILS;
    }

    function stateOf(uint256 record) internal pure returns (uint8) {
        return uint8(record >> 248);
    }

    /// @notice The word beside the record of a final request: what the record has no room for.
    function packResult(Result memory result) internal pure returns (uint256) {
        uint256 most = type(uint88).max;
        return uint256(result.outputDigest) >> 248 << 208 | uint256(result.mode) << 200 | uint256(result.how) << 192
            | uint256(uint40(result.finalAt)) << 152 | (result.bond < most ? result.bond : most) << 64
            | result.versionId;
    }

    /// @notice What both words of a final request say.
    function unpackResult(uint256 record, uint256 word) internal pure returns (Result memory) {
        return Result({
            versionId: uint64(word),
            mode: TrustMode(uint8(word >> 200)),
            how: Finality(uint8(word >> 192)),
            finalAt: uint40(word >> 152),
            bond: uint88(word >> 64),
            outputDigest: bytes32(word >> 208 << 248 | record & DETAILS)
        });
    }
}
