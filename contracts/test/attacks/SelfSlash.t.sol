// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {RequestParams} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice An executor asks himself, lets the lock run out and collects the compensation: stake would leave without the
/// exit queue, or at a profit.
contract SelfSlashAttack is Network {
    function testFuzz_attack_slashingOneselfLosesAtLeastHalf(uint128 price, uint128 collateral) external {
        RequestParams memory params = packedParams();
        params.maxPrice = uint128(bound(price, 0, DEPOSIT));
        params.collateral = uint128(bound(collateral, FLOOR, STAKE));
        depositFor(executor, DEPOSIT);
        vm.startPrank(executor);
        uint256 requestId = market.request(params, "", "");
        market.lock(requestId, market.termsOf(requestId), 0, 0);
        vm.stopPrank();
        skip(LOCK_DURATION + 1);
        vm.startPrank(executor);
        market.refund(requestId);
        market.withdraw(DEPOSIT, executor);
        uint256 credit = staking.creditOf(executor);
        if (credit != 0) staking.withdrawCredit(executor);
        vm.stopPrank();
        uint256 holds = token.balanceOf(executor) + staking.totalStake(executor);
        assertLe(holds, DEPOSIT + STAKE - (params.collateral + 1) / 2, "at least half of the collateral is gone");
    }
}
