// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMarketAccounts} from "../interfaces/IMarketAccounts.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {TokenAccounts} from "./TokenAccounts.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Accounts of a market
/// @notice A market, which extends this, moves amounts between a requester's balance, a request's escrow, an executor's
/// balance and a model's royalties, and creates none.
abstract contract MarketAccounts is TokenAccounts, IMarketAccounts {
    using SafeERC20 for IERC20;

    /// @dev Basis points in a whole.
    uint256 private constant BPS = 10_000;

    IModelRegistry internal immutable REGISTRY;

    mapping(uint256 modelId => uint256 amount) private _royalties;

    constructor(address token_, address registry_) TokenAccounts(token_) {
        REGISTRY = IModelRegistry(registry_);
    }

    /// @inheritdoc IMarketAccounts
    function withdrawRoyalty(uint256 modelId, address to) external nonReentrant returns (uint256 amount) {
        // Check: who holds the token now, also for what was earned before he got it.
        if (REGISTRY.ownerOf(modelId) != msg.sender) revert MarketAccounts_NotRoyaltyHolder(modelId, msg.sender);
        _checkPayout(to);
        amount = _royalties[modelId];
        if (amount == 0) revert MarketAccounts_NothingToWithdraw();
        // Effect
        _royalties[modelId] = 0;
        emit RoyaltyWithdrawn(modelId, msg.sender, to, amount);
        // Interaction
        TOKEN.safeTransfer(to, amount);
    }

    /// @inheritdoc IMarketAccounts
    function registry() external view returns (address) {
        return address(REGISTRY);
    }

    /// @inheritdoc IMarketAccounts
    function royaltyOf(uint256 modelId) external view returns (uint256) {
        return _royalties[modelId];
    }

    /// @dev Pays out what `_split` made of one price or of several.
    function _payOut(address executor, uint256 modelId, uint256 fees, uint256 royalties) internal {
        // Effect
        if (royalties != 0) _royalties[modelId] += royalties;
        _credit(executor, fees);
    }

    /// @dev The one split of a price that every paid path uses. The royalty rounds down, the executor gets the rest: to
    /// the unit, both make the price.
    function _split(uint256 price, uint256 royaltyBps) internal pure returns (uint256 fee, uint256 royalty) {
        royalty = price * royaltyBps / BPS;
        fee = price - royalty;
    }
}
