// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {PoolNetwork} from "../PoolNetwork.t.sol";

/// @notice Money of askers and money of providers meet in one token: the pool's second token is the market's. Whatever
/// fails, each part leaves for its owner and no other.
contract PoolStuckMoneyAttack is PoolNetwork {
    function test_attack_aMissedForecastTouchesNoReserve() external {
        quietHours();
        uint256 asked = requestForecast();
        lockBy(executor, asked);
        skip(LOCK_DURATION + 1);
        pool.reclaim(asked);
        uint256 shares = pool.balanceOf(provider);
        (uint256 reserve0, uint256 reserve1) = pool.reserves();
        uint256 supply = pool.totalSupply();
        uint256 before = token.balanceOf(trader);
        vm.startPrank(trader);
        pool.withdrawCompensation(trader);
        pool.withdrawRefund(trader);
        vm.stopPrank();
        assertEq(token.balanceOf(trader), before + 2 * PRICE, "price and compensation");
        vm.prank(provider);
        (uint256 amount0, uint256 amount1) = pool.removeLiquidity(shares, 0, 0, provider);
        assertEq(amount0, reserve0 * shares / supply, "his part");
        assertEq(amount1, reserve1 * shares / supply, "his part");
        assertEq(token.balanceOf(address(pool)), reserve1 - amount1, "the locked shares' part is what is left");
        assertEq(coin.balanceOf(address(pool)), reserve0 - amount0, "of both tokens");
    }

    /// @notice Everybody's shares leave while a forecast is open; its answer still finds a pool to tell.
    function test_attack_theProvidersLeaveFirst() external {
        quietHours();
        uint256 asked = requestForecast();
        uint256 shares = pool.balanceOf(provider);
        vm.prank(provider);
        pool.removeLiquidity(shares, 0, 0, provider);
        answer(asked, 0);
        assertFalse(pool.isAwaited(asked), "taken");
        (uint256 reserve0, uint256 reserve1) = pool.reserves();
        assertTrue(reserve0 != 0 && reserve1 != 0, "a price is left");
        vm.prank(provider);
        assertTrue(pool.addLiquidity(RESERVE, RESERVE, 0, provider) != 0, "and who comes back");
    }

    /// @notice Tokens that are given away change neither price nor shares: nobody can be made to pay for them.
    function test_attack_giftsMoveNothing() external {
        vm.startPrank(trader);
        token.transfer(address(pool), 1000e6);
        coin.transfer(address(pool), 5);
        vm.stopPrank();
        (uint256 reserve0, uint256 reserve1) = pool.reserves();
        assertEq(reserve0, RESERVE, "reserve");
        assertEq(reserve1, RESERVE, "reserve");
        assertEq(swapAs(trader, true, 1000e6), 987_158_034, "the price is the same");
    }
}
