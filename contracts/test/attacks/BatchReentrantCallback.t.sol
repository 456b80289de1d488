// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../../src/interfaces/IInferenceConsumer.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @dev Tries, from the callback of one request, to move the others of the batch; notes what it could see.
contract BatchReenterer is IInferenceConsumer {
    IInferenceMarket internal immutable MARKET;
    address internal immutable PAYEE;
    bytes[] internal calls;
    uint256[] internal ids;
    uint256 public refused;
    uint256 public entered;
    uint256 public ran;
    bool public allPaidAtEveryCall = true;
    uint256 public lowestBalance = type(uint256).max;

    constructor(IInferenceMarket market, address payee) {
        MARKET = market;
        PAYEE = payee;
    }

    function prepare(bytes memory data) external {
        calls.push(data);
    }

    function watch(uint256[] memory ids_) external {
        ids = ids_;
    }

    function onInference(uint256, uint64, address, bytes32, bytes32, bytes calldata) external {
        ++ran;
        for (uint256 i = 0; i < ids.length; ++i) {
            (RequestState state,) = MARKET.statusOf(ids[i]);
            if (state != RequestState.PAID) allPaidAtEveryCall = false;
        }
        uint256 balance = MARKET.balanceOf(PAYEE);
        if (balance < lowestBalance) lowestBalance = balance;
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool success, bytes memory result) = address(MARKET).call(calls[i]);
            bool guarded = bytes4(result) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector && !success;
            if (guarded) ++refused;
            else ++entered;
        }
    }
}

/// @notice The callback of the first request of a batch enters the market to touch the other ones before they are paid,
/// or to have some of them paid once more.
contract BatchReentrantCallbackAttack is BatchNetwork {
    function test_attack_callbacksOfABatchCannotEnterTheMarket() external {
        BatchReenterer attacker = new BatchReenterer(market, executor);
        uint256[] memory ids = new uint256[](ROWS);
        for (uint256 row = 0; row < ROWS; ++row) {
            RequestParams memory params = rowParams(row);
            // Row 2 calls nobody.
            if (row != 2) (params.callback, params.callbackGas) = (address(attacker), 700_000);
            ids[row] = open(params);
            lockBy(executor, ids[row]);
        }
        nextBlock();
        Case memory proven = batch.cases[0];
        Case memory single = packed.cases[1];
        attacker.prepare(abi.encodeCall(market.fulfillBatch, (ids, BATCH, proven.input, proven.output, proven.proof)));
        attacker.prepare(abi.encodeCall(market.fulfill, (ids[1], SINGLE, single.input, single.output, single.proof)));
        attacker.prepare(abi.encodeCall(market.refund, (ids[3])));
        attacker.prepare(abi.encodeCall(market.cancel, (ids[3])));
        attacker.prepare(abi.encodeCall(market.withdraw, (1, address(attacker))));
        attacker.watch(ids);

        Money memory before = money();
        assertEq(fulfillBatchBy(executor, ids), ROWS, "all paid");
        assertEq(attacker.ran(), 3, "each callback ran once");
        assertEq(attacker.entered(), 0, "no call got in");
        assertEq(attacker.refused(), 3 * 5, "the guard stopped every one");
        assertTrue(attacker.allPaidAtEveryCall(), "callbacks run when all requests are final");
        assertEq(attacker.lowestBalance(), ROWS * PRICE * 9 / 10, "and all fees credited");
        Money memory now_ = money();
        assertEq(before.escrowed - now_.escrowed, ROWS * PRICE, "paid once");
        assertEq(now_.locked, 0, "stake unlocked before any foreign code ran");
    }
}
