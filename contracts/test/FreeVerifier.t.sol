// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title A verifier that takes every key and every proof, for next to no gas
/// @notice Behind it, what is measured is `ZkVerifier` alone.
contract FreeVerifier {
    fallback() external {
        assembly ("memory-safe") {
            mstore(0, 1)
            return(0, 32)
        }
    }
}
