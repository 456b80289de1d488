// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../../src/interfaces/IInferenceConsumer.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {Permit, RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @dev Requester and callback in one; makes every prepared call from within the callback.
contract Reenterer is IInferenceConsumer {
    IInferenceMarket internal immutable MARKET;
    bytes[] internal calls;
    bytes[] public results;
    bool[] public succeeded;
    RequestState public seenState;
    uint256 public seenFee;
    address internal payee;

    constructor(IInferenceMarket market, address payee_) {
        MARKET = market;
        payee = payee_;
    }

    function prepare(bytes memory data) external {
        calls.push(data);
    }

    function request(RequestParams calldata params) external returns (uint256) {
        return MARKET.request(params, "", "");
    }

    function resultCount() external view returns (uint256) {
        return results.length;
    }

    function onInference(uint256 requestId, uint64, address, bytes32, bytes32, bytes calldata) external {
        (seenState,) = MARKET.statusOf(requestId);
        seenFee = MARKET.balanceOf(payee);
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool success, bytes memory result) = address(MARKET).call(calls[i]);
            succeeded.push(success);
            results.push(result);
        }
    }
}

/// @notice The callback enters the market again, by every external function, each with arguments that would succeed
/// from outside.
contract ReentrantCallbackAttack is Network {
    Reenterer internal attacker;
    uint256 internal requestId;

    function setUp() public override {
        super.setUp();
        attacker = new Reenterer(market, executor);
        depositFor(address(attacker), 100e6);
        stakeFor(address(attacker), STAKE);
        token.mint(address(attacker), 10e6);
        vm.startPrank(address(attacker));
        token.approve(address(market), 10e6);
        // The attacker is also a model's holder with royalties to withdraw: the market's own model.
        vm.stopPrank();
        vm.prank(builder);
        registry.transferFrom(builder, address(attacker), modelId);
    }

    function test_attack_noFunctionCanBeEntered() external {
        RequestParams memory params = packedParams();
        params.callback = address(attacker);
        params.callbackGas = 1_000_000;
        requestId = attacker.request(params);
        uint256 openId = attacker.request(packedParams());
        uint256 expiredId = _expiredRequest();
        uint256 lockedId = attacker.request(packedParams());
        lockBy(address(attacker), lockedId);
        lockBy(executor, requestId);
        vm.warp(market.requestOf(expiredId).deadline + 1);
        vm.roll(block.number + 1);
        _prepareAll(openId, expiredId, lockedId);

        uint256 before = market.balanceOf(address(attacker));
        fulfillBy(executor, requestId, packed, 0);
        assertEq(attacker.resultCount(), 13, "every call was made");
        for (uint256 i = 0; i < attacker.resultCount(); ++i) {
            assertFalse(attacker.succeeded(i), "a call got in");
            assertEq(
                attacker.results(i),
                abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
                "stopped by the guard, and by nothing else"
            );
        }
        assertEq(market.balanceOf(address(attacker)), before, "no money moved");
        // What the callback could read was final already.
        assertEq(uint256(attacker.seenState()), uint256(RequestState.PAID), "state before the call");
        assertEq(attacker.seenFee(), PRICE * 9 / 10, "payment before the call");
    }

    /// @notice The same calls from outside succeed, so that the refusals above are not for another reason.
    function test_theSameCallsSucceedFromOutside() external {
        uint256 openId = attacker.request(packedParams());
        uint256 expiredId = _expiredRequest();
        vm.warp(market.requestOf(expiredId).deadline + 1);
        vm.startPrank(address(attacker));
        market.refund(expiredId);
        market.withdraw(1, address(attacker));
        market.deposit(1);
        uint256 fresh = market.request(packedParams(), "", "");
        market.lock(fresh, market.termsOf(fresh), 0, 0);
        vm.roll(block.number + 1);
        market.fulfill(fresh, 0, packed.cases[0].input, packed.cases[0].output, packed.cases[0].proof);
        market.withdrawRoyalty(modelId, address(attacker));
        fresh = market.request(packedParams(), "", "");
        market.cancel(fresh);
        vm.stopPrank();
        assertState(openId, RequestState.OPEN);
    }

    function _expiredRequest() private returns (uint256) {
        RequestParams memory short = packedParams();
        short.lockDuration = MIN_LOCK;
        short.deadline = uint64(block.timestamp) + MIN_LOCK;
        return attacker.request(short);
    }

    function _prepareAll(uint256 openId, uint256 expiredId, uint256 lockedId) private {
        Permit memory permit;
        permit.value = 1;
        Case memory proven = packed.cases[0];
        attacker.prepare(abi.encodeCall(market.deposit, (1)));
        attacker.prepare(abi.encodeCall(market.depositWithPermit, (permit)));
        attacker.prepare(abi.encodeCall(market.withdraw, (1, address(attacker))));
        attacker.prepare(abi.encodeCall(market.withdrawRoyalty, (modelId, address(attacker))));
        attacker.prepare(abi.encodeCall(market.request, (packedParams(), "", "")));
        attacker.prepare(abi.encodeCall(market.requestWithPermit, (packedParams(), "", "", permit)));
        attacker.prepare(abi.encodeCall(market.cancel, (openId)));
        attacker.prepare(abi.encodeCall(market.lock, (openId, market.termsOf(openId), 0, 0)));
        attacker.prepare(abi.encodeCall(market.fulfill, (requestId, 0, proven.input, proven.output, proven.proof)));
        attacker.prepare(abi.encodeCall(market.fulfill, (lockedId, 0, proven.input, proven.output, proven.proof)));
        attacker.prepare(abi.encodeCall(market.lockAndFulfill, (openId, 0, proven.input, proven.output, proven.proof)));
        attacker.prepare(abi.encodeCall(market.refund, (requestId)));
        attacker.prepare(abi.encodeCall(market.refund, (expiredId)));
    }
}
