// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Permit} from "../types/MarketTypes.sol";

/// @title Accounts in one ERC-20
/// @notice What came in by deposit and was earned, and leaves by pull.
interface ITokenAccounts {
    event Deposited(address indexed account, address indexed payer, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    error TokenAccounts_ZeroAmount();
    error TokenAccounts_ZeroAddress();
    error TokenAccounts_InsufficientBalance(address account, uint256 balance, uint256 needed);
    error TokenAccounts_TransferMismatch(uint256 received, uint256 expected);

    function deposit(uint256 amount) external;
    /// @notice Deposits with an ERC-2612 permit in the same transaction; a permit already used is no error.
    function depositWithPermit(Permit calldata permit) external;
    function withdraw(uint256 amount, address to) external;

    function token() external view returns (address);
    function balanceOf(address account) external view returns (uint256);
}
