// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IExecutorStaking} from "./interfaces/IExecutorStaking.sol";
import {IReceiptCourt} from "./interfaces/IReceiptCourt.sol";
import {TokenTransfers} from "./libraries/TokenTransfers.sol";
import {Permit} from "./types/MarketTypes.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title Accounts of the court
/// @notice Challengers' bonds come in, everything leaves by pull. A unit is in one place: a balance, an unfinished
/// claim, or waiting to be burned. Stake is not here: it stays in `ExecutorStaking`.
abstract contract ReceiptAccounts is IReceiptCourt, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using TokenTransfers for IERC20;

    /// @inheritdoc IReceiptCourt
    address public constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;

    IExecutorStaking internal immutable STAKING;
    IERC20 private immutable TOKEN;

    mapping(address account => uint256 amount) private _balances;
    uint256 private _pendingBurn;

    constructor(address staking_) {
        // Check
        if (staking_.code.length == 0) revert ReceiptCourt_NoCodeAt(staking_);
        // Effect: one court, one staking contract, one token.
        STAKING = IExecutorStaking(staking_);
        TOKEN = IERC20(STAKING.token());
    }

    /// @inheritdoc IReceiptCourt
    function deposit(uint256 amount) external nonReentrant {
        _deposit(amount);
    }

    /// @inheritdoc IReceiptCourt
    function depositWithPermit(Permit calldata permit) external nonReentrant {
        TOKEN.tryPermit(permit.value, permit.deadline, permit.v, permit.r, permit.s);
        _deposit(permit.value);
    }

    /// @inheritdoc IReceiptCourt
    function withdraw(uint256 amount, address to) external nonReentrant {
        // Check: tokens sent to this contract itself would be in no account.
        if (amount == 0) revert ReceiptCourt_ZeroAmount();
        if (to == address(0) || to == address(this)) revert ReceiptCourt_ZeroAddress();
        uint256 balance = _balances[msg.sender];
        if (amount > balance) revert ReceiptCourt_InsufficientBalance(msg.sender, balance, amount);
        // Effect
        _balances[msg.sender] = balance - amount;
        emit Withdrawn(msg.sender, to, amount);
        // Interaction
        TOKEN.safeTransfer(to, amount);
    }

    /// @inheritdoc IReceiptCourt
    function burn() external nonReentrant returns (uint256 amount) {
        // Check
        amount = _pendingBurn;
        if (amount == 0) revert ReceiptCourt_NothingToBurn();
        // Effect
        _pendingBurn = 0;
        emit Burned(amount);
        // Interaction
        TOKEN.safeTransfer(BURN_ADDRESS, amount);
    }

    /// @inheritdoc IReceiptCourt
    function token() external view returns (address) {
        return address(TOKEN);
    }

    /// @inheritdoc IReceiptCourt
    function staking() external view returns (address) {
        return address(STAKING);
    }

    /// @inheritdoc IReceiptCourt
    function balanceOf(address account) external view returns (uint256) {
        return _balances[account];
    }

    /// @inheritdoc IReceiptCourt
    function pendingBurn() external view returns (uint256) {
        return _pendingBurn;
    }

    /// @dev Takes a bond out of the caller's balance; what is not there comes by transfer.
    function _takeBond(uint256 amount) internal {
        uint256 balance = _balances[msg.sender];
        if (balance < amount) {
            _deposit(amount - balance);
            balance = amount;
        }
        // Effect
        _balances[msg.sender] = balance - amount;
    }

    function _credit(address account, uint256 amount) internal {
        _balances[account] += amount;
    }

    function _toBurn(uint256 amount) internal {
        _pendingBurn += amount;
    }

    function _deposit(uint256 amount) private {
        // Check
        if (amount == 0) revert ReceiptCourt_ZeroAmount();
        // Interaction: before the effect, because what arrived decides; the guard is held.
        uint256 received = TOKEN.pull(amount);
        if (received != amount) revert ReceiptCourt_TransferMismatch(received, amount);
        // Effect
        _credit(msg.sender, amount);
        emit Deposited(msg.sender, msg.sender, amount);
    }
}
