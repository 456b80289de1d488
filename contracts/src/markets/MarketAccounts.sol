// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMarketAccounts} from "../interfaces/IMarketAccounts.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {TokenTransfers} from "../libraries/TokenTransfers.sol";
import {Permit} from "../types/MarketTypes.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title Accounts of a market
/// @notice Deposits come in, everything leaves by pull. A market, which extends this, moves amounts between a
/// requester's balance, a request's escrow, an executor's balance and a model's royalties, and creates none.
abstract contract MarketAccounts is IMarketAccounts, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using TokenTransfers for IERC20;

    /// @dev Basis points in a whole.
    uint256 private constant BPS = 10_000;

    IERC20 internal immutable TOKEN;
    IModelRegistry internal immutable REGISTRY;

    mapping(address account => uint256 amount) private _balances;
    mapping(uint256 modelId => uint256 amount) private _royalties;

    constructor(address token_, address registry_) {
        TOKEN = IERC20(token_);
        REGISTRY = IModelRegistry(registry_);
    }

    /// @inheritdoc IMarketAccounts
    function deposit(uint256 amount) external nonReentrant {
        _deposit(amount);
    }

    /// @inheritdoc IMarketAccounts
    function depositWithPermit(Permit calldata permit) external nonReentrant {
        _depositWithPermit(permit);
    }

    /// @inheritdoc IMarketAccounts
    function withdraw(uint256 amount, address to) external nonReentrant {
        // Check
        if (amount == 0) revert MarketAccounts_ZeroAmount();
        _checkPayout(to);
        // Effect
        _debit(msg.sender, amount);
        emit Withdrawn(msg.sender, to, amount);
        // Interaction
        TOKEN.safeTransfer(to, amount);
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
    function token() external view returns (address) {
        return address(TOKEN);
    }

    /// @inheritdoc IMarketAccounts
    function registry() external view returns (address) {
        return address(REGISTRY);
    }

    /// @inheritdoc IMarketAccounts
    function balanceOf(address account) external view returns (uint256) {
        return _balances[account];
    }

    /// @inheritdoc IMarketAccounts
    function royaltyOf(uint256 modelId) external view returns (uint256) {
        return _royalties[modelId];
    }

    function _depositWithPermit(Permit calldata permit) internal {
        TOKEN.tryPermit(permit.value, permit.deadline, permit.v, permit.r, permit.s);
        _deposit(permit.value);
    }

    function _credit(address account, uint256 amount) internal {
        _balances[account] += amount;
    }

    function _debit(address account, uint256 amount) internal {
        // Check
        uint256 balance = _balances[account];
        if (amount > balance) revert MarketAccounts_InsufficientBalance(account, balance, amount);
        // Effect
        _balances[account] = balance - amount;
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

    function _deposit(uint256 amount) private {
        // Check
        if (amount == 0) revert MarketAccounts_ZeroAmount();
        // Interaction: before the effect, because what arrived decides; the guard is held.
        uint256 received = TOKEN.pull(amount);
        if (received != amount) revert MarketAccounts_TransferMismatch(received, amount);
        // Effect
        _credit(msg.sender, amount);
        emit Deposited(msg.sender, msg.sender, amount);
    }

    /// @dev Tokens sent to this contract itself would be in no account.
    function _checkPayout(address to) private view {
        if (to == address(0) || to == address(this)) revert MarketAccounts_ZeroAddress();
    }
}
