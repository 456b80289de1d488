// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {PoolNetwork} from "../PoolNetwork.t.sol";

/// @notice Random sequences of providers and traders, with random forecasts: the product of the reserves per share
/// never falls, tokens cover reserves to the unit, and the fee stays in its bounds.
contract VolatilityFeePoolFuzz is PoolNetwork {
    function testFuzz_nobodyTakesFromTheOthers(uint256[16] memory steps) external {
        uint256 held = coin.balanceOf(provider) + coin.balanceOf(trader) + coin.balanceOf(address(pool));
        for (uint256 i = 0; i < steps.length; ++i) {
            (uint256 before0, uint256 before1) = pool.reserves();
            uint256 supply = pool.totalSupply();
            _step(steps[i]);
            (uint256 after0, uint256 after1) = pool.reserves();
            // k / supply² does not fall: cross-multiplied, each below 2^45.
            assertGe(
                after0 * after1 * supply ** 2,
                before0 * before1 * pool.totalSupply() ** 2,
                "a share is worth what it was"
            );
            assertEq(coin.balanceOf(address(pool)), after0, "tokens and reserve");
            assertEq(token.balanceOf(address(pool)), after1, "tokens and reserve");
            assertTrue(after0 != 0 && after1 != 0, "a price is left");
            assertTrue(pool.fee() >= 500 && pool.fee() <= 20_000, "bounds");
        }
        assertEq(
            coin.balanceOf(provider) + coin.balanceOf(trader) + coin.balanceOf(address(pool)), held, "nothing is lost"
        );
    }

    /// @notice There and back is never a gain, at any fee and size.
    function testFuzz_thereAndBackIsNoGain(uint256 amount, bool zeroForOne, int32 forecast) external {
        quietHours();
        _answerWith(forecast);
        amount = bound(amount, 1000, 300_000e6);
        uint256 out = swapAs(trader, zeroForOne, amount);
        uint256 back = swapAs(trader, !zeroForOne, out);
        assertLe(back, amount, "no gain");
    }

    /// @notice The fee against plain arithmetic, for every output that the version could have.
    function testFuzz_feeOfAForecast(int32 forecast) external {
        quietHours();
        _answerWith(forecast);
        uint256 expected = 500;
        if (forecast > 0) expected += (uint256(uint32(forecast)) * 1e6 / 2 ** 22) * 2000 / 1e6;
        assertEq(pool.fee(), expected > 20_000 ? 20_000 : expected, "fee");
    }

    function _step(uint256 seed) private {
        uint256 what = seed % 6;
        uint256 amount = bound(seed >> 8, 1e3, 20_000e6);
        address account = seed >> 4 & 1 == 0 ? provider : trader;
        vm.warp(block.timestamp + (seed >> 128) % (3 * PERIOD));
        if (what < 2) {
            swapAs(trader, what == 0, amount);
        } else if (what == 2) {
            vm.prank(account);
            try pool.addLiquidity(amount, amount, 0, account) {} catch {}
        } else if (what == 3) {
            uint256 shares = pool.balanceOf(account);
            if (shares == 0) return;
            vm.prank(account);
            pool.removeLiquidity(bound(amount, 1, shares), 0, 0, account);
        } else if (what == 4) {
            vm.prank(trader);
            try pool.requestForecast(0, COLLATERAL) returns (uint256 requestId) {
                vm.prank(address(market));
                pool.onInference(
                    requestId, volatilityVersion, address(pool), 0, 0, abi.encodePacked(uint32(seed >> 96))
                );
            } catch {}
        }
    }

    function _answerWith(int32 forecast) private {
        uint256 requestId = requestForecast();
        vm.prank(address(market));
        pool.onInference(requestId, volatilityVersion, address(pool), 0, 0, abi.encodePacked(forecast));
    }
}
