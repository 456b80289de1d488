// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title ezkl's reusable Halo2 verifier, as far as it is used
/// @notice Generated from the installed ezkl at build time; one deployment serves every model.
interface IHalo2Verifier {
    /// @notice Remembers the digest of a verifying-key artifact. Permissionless.
    function registerVka(bytes32[] calldata vka) external returns (bytes32 vkaDigest);

    /// @notice Reverts, without data, unless the proof is valid.
    /// @dev The declared return type is not what is returned: the first word is 1, the second the digest, then words of
    /// no use. It is not declared a view, and works in a static call.
    function verifyProof(bytes calldata proof, uint256[] calldata instances, bytes32[] calldata vka)
        external
        returns (bool success);
}
