// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITokenAccounts} from "../interfaces/ITokenAccounts.sol";
import {TokenTransfers} from "../libraries/TokenTransfers.sol";
import {Permit} from "../types/MarketTypes.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title Accounts in one ERC-20
/// @notice Deposits come in, everything leaves by pull. Who extends this moves amounts between balances and what he
/// holds them for, and creates none.
abstract contract TokenAccounts is ITokenAccounts, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using TokenTransfers for IERC20;

    IERC20 internal immutable TOKEN;

    mapping(address account => uint256 amount) private _balances;

    constructor(address token_) {
        TOKEN = IERC20(token_);
    }

    /// @inheritdoc ITokenAccounts
    function deposit(uint256 amount) external nonReentrant {
        _deposit(amount);
    }

    /// @inheritdoc ITokenAccounts
    function depositWithPermit(Permit calldata permit) external nonReentrant {
        _depositWithPermit(permit);
    }

    /// @inheritdoc ITokenAccounts
    function withdraw(uint256 amount, address to) external nonReentrant {
        // Check
        if (amount == 0) revert TokenAccounts_ZeroAmount();
        _checkPayout(to);
        // Effect
        _debit(msg.sender, amount);
        emit Withdrawn(msg.sender, to, amount);
        // Interaction
        TOKEN.safeTransfer(to, amount);
    }

    /// @inheritdoc ITokenAccounts
    function token() external view returns (address) {
        return address(TOKEN);
    }

    /// @inheritdoc ITokenAccounts
    function balanceOf(address account) external view returns (uint256) {
        return _balances[account];
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
        if (amount > balance) revert TokenAccounts_InsufficientBalance(account, balance, amount);
        // Effect
        _balances[account] = balance - amount;
    }

    /// @dev Tokens sent to this contract itself would be in no account.
    function _checkPayout(address to) internal view {
        if (to == address(0) || to == address(this)) revert TokenAccounts_ZeroAddress();
    }

    function _deposit(uint256 amount) private {
        // Check
        if (amount == 0) revert TokenAccounts_ZeroAmount();
        // Interaction: before the effect, because what arrived decides; the guard is held.
        uint256 received = TOKEN.pull(amount);
        if (received != amount) revert TokenAccounts_TransferMismatch(received, amount);
        // Effect
        _credit(msg.sender, amount);
        emit Deposited(msg.sender, msg.sender, amount);
    }
}
