// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IMarketAccounts} from "../../src/interfaces/IMarketAccounts.sol";
import {RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice The model's token is sold, or sent where nobody is, between request and payment.
contract RoyaltyTokenMovedAttack is Network {
    address internal constant DEAD = 0x000000000000000000000000000000000000dEaD;

    function test_attack_soldMidRequest() external {
        uint256 requestId = openLocked();
        vm.prank(builder);
        registry.transferFrom(builder, stranger, modelId);
        fulfillBy(executor, requestId, packed, 0);
        assertEq(market.balanceOf(executor), PRICE * 9 / 10, "the executor's fee is untouched");

        // The royalty is the model's: who holds the token when it is withdrawn gets it, nobody else.
        vm.expectRevert(
            abi.encodeWithSelector(IMarketAccounts.MarketAccounts_NotRoyaltyHolder.selector, modelId, builder)
        );
        vm.prank(builder);
        market.withdrawRoyalty(modelId, builder);
        vm.prank(stranger);
        assertEq(market.withdrawRoyalty(modelId, stranger), PRICE / 10, "the buyer's");
    }

    function test_attack_sentToADeadAddressMidRequest() external {
        uint256 paidId = openLocked();
        uint256 missedId = openPacked();
        lockBy(executor, missedId);
        vm.prank(builder);
        registry.transferFrom(builder, DEAD, modelId);
        fulfillBy(executor, paidId, packed, 0);
        assertState(paidId, RequestState.PAID);
        skip(LOCK_DURATION + 1);
        market.refund(missedId);
        assertState(missedId, RequestState.REFUNDED);
        assertEq(market.royaltyOf(modelId), PRICE / 10, "waits for nobody, and nobody else can take it");
        vm.expectRevert(
            abi.encodeWithSelector(IMarketAccounts.MarketAccounts_NotRoyaltyHolder.selector, modelId, executor)
        );
        vm.prank(executor);
        market.withdrawRoyalty(modelId, executor);
    }

    function test_attack_royaltyRaisedMidRequest() external {
        // A new, dearer version does not reach back into a request for the old one.
        uint256 requestId = openLocked();
        vm.prank(builder);
        registry.publishVersion(modelId, publication(packed, 5000));
        fulfillBy(executor, requestId, packed, 0);
        assertEq(market.royaltyOf(modelId), PRICE / 10, "as at creation");
    }
}
