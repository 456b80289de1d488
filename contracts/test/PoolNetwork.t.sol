// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TestDollar} from "../src/development/TestDollar.sol";
import {PriceHistory} from "../src/examples/PriceHistory.sol";
import {VolatilityFeePool} from "../src/examples/VolatilityFeePool.sol";
import {Network} from "./Network.t.sol";
import {Vm} from "./Vm.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The network with a pool that has liquidity and reads real forecasts
/// @notice The pool's second token is the market's, as a dollar would be.
abstract contract PoolNetwork is Network {
    uint256 internal constant PERIOD = 1 hours;
    uint256 internal constant RESERVE = 100_000e6;

    Fixture internal volatility;
    uint64 internal volatilityVersion;
    TestDollar internal coin;
    VolatilityFeePool internal pool;
    address internal provider;
    address internal trader;

    function setUp() public virtual override {
        super.setUp();
        loadFixture(volatility, "volatility");
        verifier.registerVka(volatility.vka);
        vm.prank(builder);
        volatilityVersion = registry.publishVersion(modelId, publication(volatility, ROYALTY_BPS));
        coin = new TestDollar();
        pool = new VolatilityFeePool(
            address(market), volatilityVersion, IERC20(address(coin)), IERC20(address(token)), poolFees()
        );
        provider = makeAddr("provider");
        trader = makeAddr("trader");
        purse(provider);
        purse(trader);
        // At the start of a period, so that the scenario does not depend on the hour.
        vm.warp(1_900_000_800);
        require(block.timestamp % PERIOD == 0, "the start of a period");
        vm.prank(provider);
        pool.addLiquidity(RESERVE, RESERVE, 0, provider);
    }

    function poolFees() internal pure returns (VolatilityFeePool.Fees memory) {
        return VolatilityFeePool.Fees({minimum: 500, maximum: 20_000, fallback_: 3000, perPercent: 2000, maxAge: 3});
    }

    /// @notice Plenty of both tokens, and approvals.
    function purse(address account) internal {
        coin.mint(account, 500_000e6);
        token.mint(account, 500_000e6);
        vm.startPrank(account);
        coin.approve(address(pool), type(uint256).max);
        token.approve(address(pool), type(uint256).max);
        vm.stopPrank();
    }

    function swapAs(address account, bool zeroForOne, uint256 amount) internal returns (uint256) {
        vm.prank(account);
        return pool.swap(zeroForOne, amount, 0, account);
    }

    /// @notice Eight quiet hours: small trades to and fro. The fixture's first case is what the pool makes of them.
    function quietHours() internal {
        _hours(100e6);
    }

    /// @notice Eight stormy hours, the second case.
    function stormyHours() internal {
        _hours(2500e6);
    }

    function requestForecast() internal returns (uint256 requestId) {
        vm.prank(trader);
        return pool.requestForecast(PRICE, COLLATERAL);
    }

    /// @notice Locks and proves a forecast by a case of the fixture.
    function answer(uint256 requestId, uint256 index) internal {
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, volatility, index);
    }

    /// @dev Trades of growing size at the quarters of each hour; the input that follows is exact.
    function _hours(uint256 unit) private {
        uint256 start = block.timestamp;
        for (uint256 hour = 0; hour < PriceHistory.WINDOW + 1; ++hour) {
            vm.warp(start + hour * PERIOD + PERIOD / 4);
            swapAs(trader, hour % 3 != 1, unit * (hour + 2));
            vm.warp(start + hour * PERIOD + PERIOD / 2);
            swapAs(trader, hour % 2 == 1, unit);
        }
        vm.warp(start + (PriceHistory.WINDOW + 1) * PERIOD);
        vm.roll(block.number + 9);
    }
}
