// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Tensor} from "../../src/consumer/Tensor.sol";
import {PriceHistory} from "../../src/examples/PriceHistory.sol";
import {VolatilityFeePool} from "../../src/examples/VolatilityFeePool.sol";
import {RequestState} from "../../src/types/MarketTypes.sol";
import {PoolNetwork} from "../PoolNetwork.t.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

contract VolatilityFeePoolTest is PoolNetwork {
    // --- forecasts, with real proofs ---

    function test_quietHoursMakeALowFee() external {
        _forecast(0);
        // 1.079545% is the model's forecast, read off the fixture by hand; 2000 millionths for each percent.
        assertEq(pool.fee(), 500 + 2159, "fee");
    }

    function test_stormyHoursMakeTheHighestFee() external {
        _forecast(1);
        assertEq(pool.fee(), 20_000, "the bound, whatever the model says");
    }

    /// @notice The pool makes the very bytes that were proven; if it made others, remake the fixture for them.
    function test_thePoolMakesTheFixturesInputs() external {
        quietHours();
        uint256 requestId = requestForecast();
        assertEq(market.requestOf(requestId).inputBinding, keccak256(volatility.cases[0].input), "quiet");
    }

    function test_aForecastGrowsOld() external {
        _forecast(0);
        uint256 fresh = pool.fee();
        uint256 asked = block.timestamp / PERIOD;
        vm.warp((asked + 3) * PERIOD + PERIOD - 1);
        assertEq(pool.fee(), fresh, "to the last second of its last period");
        vm.warp((asked + 4) * PERIOD);
        assertEq(pool.fee(), 3000, "then the fallback");
    }

    function test_withoutForecastsThePoolGoesOn() external {
        assertEq(pool.fee(), 3000, "fallback");
        // (100000e6 * x) / (100000e6 + x), x = 1000e6 * 0.997.
        assertEq(swapAs(trader, true, 1000e6), 987_158_034, "out");
        quietHours();
        requestForecast();
        swapAs(trader, false, 1000e6);
        assertEq(pool.fee(), 3000, "an open request changes nothing");
    }

    function test_noForecastCameAndThePayerHasHisMoney() external {
        quietHours();
        uint256 requestId = requestForecast();
        skip(1 hours + 1);
        pool.reclaim(requestId);
        uint256 before = token.balanceOf(trader);
        vm.prank(trader);
        pool.withdrawRefund(trader);
        assertEq(token.balanceOf(trader), before + PRICE, "back");
        assertEq(pool.fee(), 3000, "fallback");
    }

    function test_aForecastNeedsHistory() external {
        vm.warp(block.timestamp + 8 * PERIOD + PERIOD - 1);
        vm.prank(trader);
        vm.expectRevert(abi.encodeWithSelector(PriceHistory.PriceHistory_TooShort.selector, 8, 9));
        pool.requestForecast(PRICE, COLLATERAL);
        vm.warp(block.timestamp + 1);
        requestForecast();
    }

    function test_theLatestQuestionCountsWheneverItIsAnswered() external {
        quietHours();
        uint256 start = block.timestamp;
        uint256 early = requestForecast();
        vm.warp(start + 55 minutes);
        lockBy(executor, early);
        nextBlock();
        // The next period begins in the last second in which the first may be answered.
        vm.warp(start + PERIOD);
        uint256 later = requestForecast();
        vm.prank(address(market));
        pool.onInference(later, volatilityVersion, address(pool), 0, 0, hex"00800000");
        assertEq(pool.fee(), 500 + 2 * 2000, "2%, the later");
        fulfillBy(executor, early, volatility, 0);
        assertState(early, RequestState.PAID);
        assertFalse(pool.isAwaited(early), "taken");
        assertEq(pool.fee(), 500 + 2 * 2000, "still the later");
    }

    // --- liquidity and swaps ---

    function test_sharesAreWorthTheirPart() external {
        uint256 supply = pool.totalSupply();
        assertEq(supply, RESERVE, "the first shares");
        assertEq(pool.balanceOf(provider), RESERVE - 1000, "less those that nobody holds");
        vm.prank(trader);
        uint256 shares = pool.addLiquidity(50_000e6, 70_000e6, 0, trader);
        assertEq(shares, 50_000e6, "in proportion");
        assertEq(coin.balanceOf(trader), 450_000e6, "taken");
        assertEq(token.balanceOf(trader), 450_000e6, "no more than in proportion");
        vm.prank(trader);
        pool.removeLiquidity(shares, 50_000e6, 50_000e6, provider);
        assertEq(coin.balanceOf(provider), 450_000e6, "to whom he says");
        (uint256 reserve0, uint256 reserve1) = pool.reserves();
        assertEq(reserve0, RESERVE, "reserve");
        assertEq(reserve1, RESERVE, "reserve");
    }

    function test_limitsOfTheCallerHold() external {
        vm.startPrank(trader);
        vm.expectRevert(
            abi.encodeWithSelector(VolatilityFeePool.VolatilityFeePool_TooLittle.selector, 987_158_034, 987_158_035)
        );
        pool.swap(true, 1000e6, 987_158_035, trader);
        vm.expectRevert(VolatilityFeePool.VolatilityFeePool_ZeroAmount.selector);
        pool.swap(true, 1, 0, trader);
        vm.expectRevert(VolatilityFeePool.VolatilityFeePool_ZeroAmount.selector);
        pool.swap(true, 0, 0, trader);
        vm.expectRevert(abi.encodeWithSelector(VolatilityFeePool.VolatilityFeePool_TooLittle.selector, 10, 11));
        pool.addLiquidity(10, 10, 11, trader);
        vm.expectRevert(VolatilityFeePool.VolatilityFeePool_ZeroAmount.selector);
        pool.addLiquidity(0, 10, 0, trader);
        vm.expectRevert(VolatilityFeePool.VolatilityFeePool_ZeroAmount.selector);
        pool.removeLiquidity(0, 0, 0, trader);
        vm.stopPrank();
        vm.startPrank(provider);
        vm.expectRevert(abi.encodeWithSelector(VolatilityFeePool.VolatilityFeePool_TooLittle.selector, 10, 11));
        pool.removeLiquidity(10, 11, 0, provider);
        vm.expectRevert(abi.encodeWithSelector(VolatilityFeePool.VolatilityFeePool_TooLittle.selector, 10, 11));
        pool.removeLiquidity(10, 0, 11, provider);
        vm.stopPrank();
    }

    function test_anEmptyPoolRefuses() external {
        VolatilityFeePool empty = _pool(poolFees());
        vm.expectRevert(VolatilityFeePool.VolatilityFeePool_ZeroAmount.selector);
        empty.swap(true, 100, 0, trader);
        vm.expectRevert(abi.encodeWithSelector(VolatilityFeePool.VolatilityFeePool_TooLittle.selector, 1000, 1001));
        empty.addLiquidity(1000, 1000, 0, trader);
        uint256 high = uint256(type(uint112).max) + 1;
        vm.expectRevert(abi.encodeWithSelector(VolatilityFeePool.VolatilityFeePool_ReserveTooHigh.selector, high));
        empty.addLiquidity(1, high, 0, trader);
        vm.expectRevert(abi.encodeWithSelector(VolatilityFeePool.VolatilityFeePool_ReserveTooHigh.selector, high));
        empty.addLiquidity(high, 1, 0, trader);
    }

    function test_refusesWhatMakesNoPool() external {
        IERC20 same = IERC20(address(coin));
        vm.expectRevert(VolatilityFeePool.VolatilityFeePool_InvalidTokens.selector);
        new VolatilityFeePool(address(market), volatilityVersion, same, same, poolFees());
        vm.expectRevert(VolatilityFeePool.VolatilityFeePool_InvalidTokens.selector);
        new VolatilityFeePool(address(market), volatilityVersion, same, IERC20(stranger), poolFees());
        vm.expectRevert(VolatilityFeePool.VolatilityFeePool_InvalidTokens.selector);
        new VolatilityFeePool(address(market), volatilityVersion, IERC20(stranger), same, poolFees());
        vm.expectRevert(VolatilityFeePool.VolatilityFeePool_OtherShape.selector);
        new VolatilityFeePool(address(market), packedVersion, same, IERC20(address(token)), poolFees());
        VolatilityFeePool.Fees[4] memory wrong = [poolFees(), poolFees(), poolFees(), poolFees()];
        wrong[0].minimum = 3001;
        wrong[1].fallback_ = 20_001;
        wrong[2].maximum = 1e6;
        wrong[3].maxAge = 0;
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(VolatilityFeePool.VolatilityFeePool_InvalidFees.selector);
            _pool(wrong[i]);
        }
    }

    function _pool(VolatilityFeePool.Fees memory fees) private returns (VolatilityFeePool) {
        return
            new VolatilityFeePool(
                address(market), volatilityVersion, IERC20(address(coin)), IERC20(address(token)), fees
            );
    }

    function _forecast(uint256 index) private {
        if (index == 0) quietHours();
        else stormyHours();
        uint256 requestId = requestForecast();
        assertEq(pool.fee(), 3000, "not yet");
        answer(requestId, index);
        assertFalse(pool.isAwaited(requestId), "the callback succeeded");
    }
}
