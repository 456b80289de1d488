// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Token transfers as the network assumes them
/// @notice Safety rests on: a transfer moves exactly its amount, balances change by transfers only. Tokens that take a
/// fee are refused at the door. Liveness rests on: the token lets the contract pay out.
library TokenTransfers {
    using SafeERC20 for IERC20;

    /// @notice Pulls `amount` from the caller and tells what arrived.
    function pull(IERC20 token, uint256 amount) internal returns (uint256 received) {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        return token.balanceOf(address(this)) - before;
    }

    /// @notice Uses an ERC-2612 permit of the caller for this contract, or goes on without.
    /// @dev A permit can be taken from the mempool and used by anybody first. The allowance is then there already, and
    /// the transfer that follows decides; where the permit was bad, that transfer fails.
    function tryPermit(IERC20 token, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) internal {
        // solhint-disable-next-line no-empty-blocks
        try IERC20Permit(address(token)).permit(msg.sender, address(this), value, deadline, v, r, s) {} catch {}
    }
}
