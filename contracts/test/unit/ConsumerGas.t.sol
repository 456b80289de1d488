// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FirstConsumer} from "../../src/examples/FirstConsumer.sol";
import {TraitToken} from "../../src/examples/TraitToken.sol";
import {PoolNetwork} from "../PoolNetwork.t.sol";

/// @title Gas of the consumer kit's examples
/// @notice Each line a transaction of its own, compared with `contracts/snapshots`. What a callback costs is the
/// difference to the fulfilment of the same request without one.
/// forge-config: default.isolate = true
contract ConsumerGasTest is PoolNetwork {
    string internal constant GROUP = "Consumers";

    Fixture internal digits;
    uint64 internal digitsVersion;
    FirstConsumer internal first;
    TraitToken internal pictures;

    function setUp() public override {
        super.setUp();
        loadFixture(digits, "digits");
        verifier.registerVka(digits.vka);
        vm.prank(builder);
        digitsVersion = registry.publishVersion(modelId, publication(digits, ROYALTY_BPS));
        first = new FirstConsumer(address(market), packedVersion);
        pictures = new TraitToken(address(market), digitsVersion);
        vm.startPrank(trader);
        token.approve(address(first), type(uint256).max);
        token.approve(address(pictures), type(uint256).max);
        vm.stopPrank();
        quietHours();
        // Balances and royalties of a network in use are not zero.
        uint256 requestId = openLocked();
        fulfillBy(executor, requestId, packed, 0);
    }

    function test_firstConsumer() external {
        int256[] memory values = new int256[](4);
        bytes memory input = packed.cases[0].input;
        for (uint256 i = 0; i < 4; ++i) {
            values[i] = int16(uint16(bytes2(bytes.concat(input[2 * i], input[2 * i + 1]))));
        }
        vm.prank(trader);
        uint256 requestId = first.ask(values, PRICE);
        vm.snapshotGasLastCall(GROUP, "FirstConsumer: ask");
        _fulfil(requestId, packed, 0, "FirstConsumer: fulfil with callback");
        assertTrue(first.labelOf(requestId) != 0, "taken");
    }

    function test_withoutCallback() external {
        uint256 requestId = open(paramsFor(volatilityVersion, volatility, 0));
        _fulfil(requestId, volatility, 0, "forecast: fulfil without callback");
    }

    function test_forecast() external {
        uint256 requestId = requestForecast();
        vm.snapshotGasLastCall(GROUP, "VolatilityFeePool: request a forecast");
        _fulfil(requestId, volatility, 0, "VolatilityFeePool: fulfil with callback");
        assertEq(pool.fee(), 500 + 2159, "taken");
        swapAs(trader, true, 1000e6);
        vm.snapshotGasLastCall(GROUP, "VolatilityFeePool: swap");
    }

    function test_aLaterForecast() external {
        uint256 requestId = requestForecast();
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, volatility, 0);
        vm.warp(block.timestamp + PERIOD);
        requestId = requestForecast();
        // Past the proof, which would be of other hours: the callback alone.
        vm.prank(address(market));
        pool.onInference(requestId, volatilityVersion, address(pool), 0, 0, volatility.cases[0].output);
        vm.snapshotGasLastCall(GROUP, "VolatilityFeePool: callback of a later forecast, the call alone");
    }

    function test_reclaim() external {
        uint256 requestId = requestForecast();
        skip(PERIOD + 1);
        pool.reclaim(requestId);
        vm.snapshotGasLastCall(GROUP, "reclaim an open request");
        vm.prank(trader);
        pool.withdrawRefund(trader);
        vm.snapshotGasLastCall(GROUP, "withdraw a refund");
    }

    function test_trait() external {
        bytes memory picture = digits.cases[1].input;
        vm.prank(trader);
        uint256 tokenId = pictures.mint(keccak256(picture));
        vm.snapshotGasLastCall(GROUP, "TraitToken: mint");
        vm.prank(trader);
        uint256 requestId = pictures.requestTrait(tokenId, picture, PRICE, COLLATERAL);
        vm.snapshotGasLastCall(GROUP, "TraitToken: request a trait");
        _fulfil(requestId, digits, 1, "TraitToken: fulfil with callback");
        assertEq(pictures.traitOf(tokenId), 5, "taken");
    }

    function _fulfil(uint256 requestId, Fixture storage fixture, uint256 index, string memory name) private {
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, fixture, index);
        vm.snapshotGasLastCall(GROUP, name);
    }
}
