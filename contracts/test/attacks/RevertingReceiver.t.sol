// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../../src/interfaces/IInferenceConsumer.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @dev Refuses every call, by revert, by eating all gas, or by an invalid instruction.
contract Refuser {
    enum Way {
        REVERT,
        LOOP,
        INVALID
    }

    error Refused();

    Way internal immutable WAY;

    constructor(Way way) {
        WAY = way;
    }

    function request(IInferenceMarket market, RequestParams calldata params) external returns (uint256) {
        return market.request(params, "", "");
    }

    fallback() external {
        if (WAY == Way.REVERT) revert Refused();
        if (WAY == Way.LOOP) {
            while (true) {}
        }
        assembly {
            invalid()
        }
    }
}

/// @notice A party that refuses calls tries to block somebody else's money. All amounts are credited, none is pushed.
contract RevertingReceiverAttack is Network {
    function test_attack_aRefusingCallbackUndoesNothing() external {
        for (uint256 way = 0; way < 3; ++way) {
            RequestParams memory params = packedParams();
            params.callback = address(new Refuser(Refuser.Way(way)));
            params.callbackGas = 100_000;
            uint256 requestId = open(params);
            lockBy(executor, requestId);
            nextBlock();
            uint256 before = market.balanceOf(executor);
            vm.expectEmit(address(market));
            emit IInferenceMarket.CallbackExecuted(
                requestId, params.callback, false, way == 0 ? abi.encodePacked(Refuser.Refused.selector) : bytes("")
            );
            fulfillBy(executor, requestId, packed, 0);
            assertEq(market.balanceOf(executor) - before, PRICE * 9 / 10, "paid");
            assertState(requestId, RequestState.PAID);
        }
    }

    function test_attack_aRefusingRequesterCannotBlockARefund() external {
        Refuser refuser = new Refuser(Refuser.Way.REVERT);
        depositFor(address(refuser), 2 * PRICE);
        uint256 requestId = refuser.request(market, packedParams());
        uint256 lockedId = refuser.request(market, packedParams());
        lockBy(executor, lockedId);
        skip(2 hours);
        market.refund(requestId);
        market.refund(lockedId);
        assertEq(market.balanceOf(address(refuser)), 2 * PRICE, "credited");
        assertEq(staking.creditOf(address(refuser)), PRICE, "compensated");
    }

    function test_attack_aRefusingHolderCannotBlockAPayment() external {
        Refuser refuser = new Refuser(Refuser.Way.REVERT);
        vm.prank(builder);
        registry.transferFrom(builder, address(refuser), modelId);
        uint256 requestId = openLocked();
        fulfillBy(executor, requestId, packed, 0);
        assertState(requestId, RequestState.PAID);
        assertEq(market.royaltyOf(modelId), PRICE / 10, "credited to the model");
    }

    function test_attack_aRefusingExecutorCannotBlockHisSlash() external {
        Refuser refuser = new Refuser(Refuser.Way.REVERT);
        stakeFor(address(refuser), COLLATERAL);
        uint256 requestId = openPacked();
        lockBy(address(refuser), requestId);
        skip(LOCK_DURATION + 1);
        market.refund(requestId);
        assertEq(staking.totalStake(address(refuser)), 0, "slashed");
        assertEq(market.balanceOf(requester), DEPOSIT, "refunded");
    }
}
