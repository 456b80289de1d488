// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Whether an account signed a digest
/// @notice For externally owned accounts (ECDSA), contract accounts (ERC-1271) and contract accounts that are not
/// deployed yet or not ready (ERC-6492). Foreign code runs here, and only here.
interface ISignatureValidator {
    error SignatureValidator_NotEnoughGas(uint256 available, uint256 needed);

    /// @notice Most gas that a contract account gets to judge a signature.
    function ERC1271_GAS() external view returns (uint256);
    /// @notice Most gas that an ERC-6492 signature gets to deploy or prepare its account.
    function PREPARE_GAS() external view returns (uint256);

    /// @notice Whether `signature` is one of `digest` by `account`. Leaves nothing behind, whatever it had to call.
    /// @dev Not a view, because ERC-6492 deploys; what was deployed is undone before this returns.
    /// @param signature 65 bytes `r ‖ s ‖ v` for accounts without code; whatever the account understands for those
    /// with
    /// code; for ERC-6492 abi.encode(address to, bytes data, bytes signature) followed by the 32 magic bytes.
    function isValidSignature(address account, bytes32 digest, bytes calldata signature) external returns (bool valid);

    /// @notice The part of `isValidSignature` that calls foreign code which may change something: always reverts, with
    /// one byte, 1 for a valid signature and 0 for any other. For the validator itself; to anybody else it is of no use
    /// and does no harm.
    /// @param wrapped an ERC-6492 signature without its magic bytes.
    function prepareAndRevert(address account, bytes32 digest, bytes calldata wrapped) external;
}
