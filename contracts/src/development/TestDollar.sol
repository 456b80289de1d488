// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";

/// @title The token of development chains
/// @notice Six decimals, ERC-2612 and ERC-3009, like the dollars that it stands for. Anyone mints: it is worth nothing.
contract TestDollar is ERC20, ERC20Permit, ERC3009 {
    /// @notice Most that one call mints: one million.
    uint256 public constant MAX_MINT = 1_000_000e6;

    error TestDollar_MintTooHigh(uint256 amount, uint256 maximum);

    constructor() ERC20("Test Dollar", "tUSD") ERC20Permit("Test Dollar") {}

    /// @notice Mints up to `MAX_MINT` to anybody.
    function mint(address to, uint256 amount) external {
        // Check
        if (amount > MAX_MINT) revert TestDollar_MintTooHigh(amount, MAX_MINT);
        // Effect
        _mint(to, amount);
    }

    /// @inheritdoc ERC20
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
