// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Permit} from "../types/MarketTypes.sol";

/// @title Accounts of a market
/// @notice What requesters deposited, executors earned and models collected. The same for every market, each for
/// itself.
interface IMarketAccounts {
    event Deposited(address indexed account, address indexed payer, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);
    event RoyaltyWithdrawn(uint256 indexed modelId, address indexed holder, address to, uint256 amount);

    error MarketAccounts_ZeroAmount();
    error MarketAccounts_ZeroAddress();
    error MarketAccounts_InsufficientBalance(address account, uint256 balance, uint256 needed);
    error MarketAccounts_TransferMismatch(uint256 received, uint256 expected);
    error MarketAccounts_NotRoyaltyHolder(uint256 modelId, address caller);
    error MarketAccounts_NothingToWithdraw();

    function deposit(uint256 amount) external;
    /// @notice Deposits with an ERC-2612 permit in the same transaction; a permit already used is no error.
    function depositWithPermit(Permit calldata permit) external;
    function withdraw(uint256 amount, address to) external;
    /// @notice Withdraws all royalties of a model to `to`. Only the token's present holder.
    function withdrawRoyalty(uint256 modelId, address to) external returns (uint256 amount);

    function token() external view returns (address);
    function registry() external view returns (address);
    function balanceOf(address account) external view returns (uint256);
    function royaltyOf(uint256 modelId) external view returns (uint256);
}
