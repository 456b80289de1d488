// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {InferenceMarket} from "../../src/InferenceMarket.sol";
import {ModelRegistry} from "../../src/ModelRegistry.sol";
import {TestDollar} from "../../src/development/TestDollar.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {Limits} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

contract MarketConstructionTest is Network {
    function test_keepsItsParts() external view {
        assertEq(market.token(), address(token), "token");
        assertEq(market.registry(), address(registry), "registry");
        assertEq(market.zkVerifier(), address(verifier), "verifier");
        assertEq(market.staking(), address(staking), "staking");
        assertEq(market.COLLATERAL_FLOOR(), FLOOR, "floor");
        assertEq(market.MAX_LIFETIME(), MAX_LIFETIME, "lifetime");
        assertEq(market.MIN_LOCK_DURATION(), MIN_LOCK, "shortest lock");
        assertEq(market.MAX_LOCK_DURATION(), MAX_LOCK, "longest lock");
        assertEq(market.MAX_CALLBACK_GAS(), MAX_CALLBACK_GAS, "callback gas");
        assertEq(market.MAX_INPUT_LENGTH(), MAX_INPUT_LENGTH, "input length");
        assertEq(market.requestCount(), 0, "no request");
    }

    function test_refusesPartsOfAnotherNetwork() external {
        address otherToken = address(new TestDollar());
        address otherRegistry = address(new ModelRegistry());
        vm.expectRevert(IInferenceMarket.InferenceMarket_InvalidConfiguration.selector);
        new InferenceMarket(
            otherToken, address(registry), address(verifier), address(staking), address(validator), limits()
        );
        vm.expectRevert(IInferenceMarket.InferenceMarket_InvalidConfiguration.selector);
        new InferenceMarket(
            address(token), otherRegistry, address(verifier), address(staking), address(validator), limits()
        );
    }

    function test_refusesASignatureValidatorWithoutCode() external {
        vm.expectRevert(IInferenceMarket.InferenceMarket_InvalidConfiguration.selector);
        new InferenceMarket(
            address(token), address(registry), address(verifier), address(staking), makeAddr("nobody"), limits()
        );
    }

    function test_refusesLimitsThatLeaveNoRoom() external {
        Limits memory bad = limits();
        bad.collateralFloor = 0;
        _refused(bad);
        bad = limits();
        bad.minLockDuration = 0;
        _refused(bad);
        bad = limits();
        bad.minLockDuration = bad.maxLockDuration + 1;
        _refused(bad);
        bad = limits();
        bad.maxLifetime = bad.maxLockDuration - 1;
        _refused(bad);
    }

    function test_refusesLimitsThatARequestCannotHold() external {
        address patient = address(new ExecutorStaking(address(token), 365 days, MIN_STAKE));
        Limits memory bounds = limits();
        bounds.collateralFloor = uint128(type(uint88).max) + 1;
        _refused(bounds);
        bounds = limits();
        bounds.maxLockDuration = uint32(type(uint24).max) + 1;
        bounds.maxLifetime = 300 days;
        _refused(bounds);
        bounds = limits();
        bounds.maxLifetime = uint64(type(uint32).max) + 1;
        _refused(bounds);
        bounds = limits();
        bounds.collateralFloor = type(uint88).max;
        bounds.maxLockDuration = 100 days;
        bounds.maxLifetime = 200 days;
        new InferenceMarket(address(token), address(registry), address(verifier), patient, address(validator), bounds);
    }

    function test_exitDelayCoversTheLongestClaim() external {
        uint64 longest = MAX_LIFETIME + MAX_LOCK;
        address hasty = address(new ExecutorStaking(address(token), longest - 1, MIN_STAKE));
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_ExitDelayTooShort.selector, longest - 1, longest)
        );
        new InferenceMarket(address(token), address(registry), address(verifier), hasty, address(validator), limits());
        address patient = address(new ExecutorStaking(address(token), longest, MIN_STAKE));
        new InferenceMarket(address(token), address(registry), address(verifier), patient, address(validator), limits());
    }

    function _refused(Limits memory bad) private {
        vm.expectRevert(IInferenceMarket.InferenceMarket_InvalidConfiguration.selector);
        new InferenceMarket(
            address(token), address(registry), address(verifier), address(staking), address(validator), bad
        );
    }
}
