// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ITokenAccounts} from "./ITokenAccounts.sol";

/// @title Accounts of a market
/// @notice What requesters deposited, executors earned and models collected. The same for every market, each for
/// itself.
interface IMarketAccounts is ITokenAccounts {
    event RoyaltyWithdrawn(uint256 indexed modelId, address indexed holder, address to, uint256 amount);

    error MarketAccounts_NotRoyaltyHolder(uint256 modelId, address caller);
    error MarketAccounts_NothingToWithdraw();

    /// @notice Withdraws all royalties of a model to `to`. Only the token's present holder.
    function withdrawRoyalty(uint256 modelId, address to) external returns (uint256 amount);

    function registry() external view returns (address);
    function royaltyOf(uint256 modelId) external view returns (uint256);
}
