// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {ModelRegistry} from "../../src/ModelRegistry.sol";
import {TestDollar} from "../../src/development/TestDollar.sol";
import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {DisputeCourt} from "../../src/lazy/DisputeCourt.sol";
import {LazyMarket} from "../../src/lazy/LazyMarket.sol";
import {RegistryRules} from "../../src/libraries/RegistryRules.sol";
import {LazyLimits} from "../../src/types/LazyTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {RecordLimits} from "../../src/types/RecordTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @title A lazy market is made of parts that fit, or not at all
contract LazyConstructionTest is LazyNetwork {
    function test_itsConstantsAreReadable() external view {
        assertEq(uint256(lazy.MODE()), uint256(TrustMode.LAZY_ZK), "mode");
        assertEq(lazy.MAX_LIFETIME(), LAZY_LIFETIME, "life");
        assertEq(lazy.MAX_CALLBACK_GAS(), MAX_CALLBACK_GAS, "callback");
        assertEq(lazy.MAX_INPUT_LENGTH(), MAX_INPUT_LENGTH, "input");
        assertEq(lazy.MAX_OUTPUT_LENGTH(), MAX_OUTPUT_LENGTH, "output");
        assertEq(lazy.COLLATERAL_FLOOR(), FLOOR, "floor");
        assertEq(lazy.REWARD_BPS(), REWARD_BPS, "reward");
        assertEq(lazy.MIN_LOCK_DURATION(), MIN_LOCK, "shortest lock");
        assertEq(lazy.MAX_LOCK_DURATION(), MAX_LOCK, "longest lock");
        assertEq(lazy.MIN_CHALLENGE_WINDOW(), MIN_CHALLENGE_WINDOW, "shortest challenge");
        assertEq(lazy.MAX_CHALLENGE_WINDOW(), MAX_CHALLENGE_WINDOW, "longest challenge");
        assertEq(lazy.MIN_RESPONSE_WINDOW(), MIN_RESPONSE_WINDOW, "shortest response");
        assertEq(lazy.MAX_RESPONSE_WINDOW(), MAX_RESPONSE_WINDOW, "longest response");
        assertEq(lazy.zkVerifier(), address(verifier), "verifier");
        assertEq(lazy.staking(), address(staking), "staking");
        assertEq(lazy.court(), address(court), "court");
        assertEq(lazy.signatureValidator(), address(validator), "validator");
        assertEq(lazy.token(), address(token), "token");
        assertEq(lazy.registry(), address(registry), "registry");
    }

    function test_theDomainIsItsOwn() external view {
        (, string memory name, string memory version, uint256 chainId, address contract_,,) = lazy.eip712Domain();
        assertEq(name, "Gateless LazyMarket", "name");
        assertEq(version, "1", "version");
        assertEq(chainId, block.chainid, "chain");
        assertEq(contract_, address(lazy), "contract");
    }

    function test_bothFitTheCodeLimit() external view {
        // EIP-170.
        vm.assertLt(address(lazy).code.length, 24_576, "market");
        vm.assertLt(address(court).code.length, 24_576, "court");
    }

    function test_partsBelongTogether() external {
        bytes memory invalid = abi.encodeWithSelector(IRecordMarket.RecordMarket_InvalidConfiguration.selector);
        address otherRegistry = address(new ModelRegistry());
        address otherToken = address(new TestDollar());
        address otherStaking = address(new ExecutorStaking(otherToken, EXIT_DELAY, MIN_STAKE));
        address otherCourt = address(new DisputeCourt(otherToken, CHALLENGE_BOND, EXECUTOR_BPS));
        _refused(otherRegistry, address(staking), address(validator), address(court), invalid);
        _refused(address(registry), otherStaking, address(validator), address(court), invalid);
        _refused(address(registry), address(staking), stranger, address(court), invalid);
        _refused(address(registry), address(staking), address(validator), otherCourt, invalid);
    }

    function test_nobodyLeavesBeforeHisLastAnswerIsFinal() external {
        uint64 longest = LAZY_LIFETIME + MAX_LOCK + MAX_CHALLENGE_WINDOW + MAX_RESPONSE_WINDOW;
        address hasty = address(new ExecutorStaking(address(token), longest - 1, MIN_STAKE));
        _refused(
            address(registry),
            hasty,
            address(validator),
            address(court),
            abi.encodeWithSelector(ILazyMarket.LazyMarket_ExitDelayTooShort.selector, longest - 1, longest)
        );
        address patient = address(new ExecutorStaking(address(token), longest, MIN_STAKE));
        _make(address(registry), patient, address(validator), address(court), recordLimits(), lazyLimits());
    }

    function test_boundsLeaveRoom() external {
        for (uint256 i = 0; i < 13; ++i) {
            (RecordLimits memory records, LazyLimits memory bounds) = (recordLimits(), lazyLimits());
            if (i == 0) records.maxLifetime = 0;
            if (i == 1) records.maxLifetime = uint64(type(uint32).max) + 1;
            if (i == 2) records.maxOutputLength = RegistryRules.MAX_PACKED_LENGTH - 1;
            if (i == 3) bounds.collateralFloor = 0;
            if (i == 4) bounds.rewardBps = 2501;
            if (i == 5) bounds.minLockDuration = 0;
            if (i == 6) bounds.minLockDuration = bounds.maxLockDuration + 1;
            if (i == 7) bounds.minChallengeWindow = 0;
            if (i == 8) bounds.minChallengeWindow = bounds.maxChallengeWindow + 1;
            if (i == 9) bounds.minResponseWindow = 0;
            if (i == 10) bounds.minResponseWindow = bounds.maxResponseWindow + 1;
            if (i == 11) bounds.maxLockDuration = uint32(records.maxLifetime) + 1;
            if (i == 12) (records.maxLifetime, bounds.maxLockDuration) = (59, 60);
            vm.expectRevert(IRecordMarket.RecordMarket_InvalidConfiguration.selector);
            this.make(records, bounds);
        }
        (RecordLimits memory good, LazyLimits memory tight) = (recordLimits(), lazyLimits());
        (tight.rewardBps, tight.maxLockDuration) = (2500, uint32(good.maxLifetime));
        this.make(good, tight);
    }

    function make(RecordLimits memory records, LazyLimits memory bounds) external {
        _make(address(registry), address(staking), address(validator), address(court), records, bounds);
    }

    function makeOf(address registry_, address staking_, address validator_, address court_) external {
        _make(registry_, staking_, validator_, court_, recordLimits(), lazyLimits());
    }

    function _refused(address registry_, address staking_, address validator_, address court_, bytes memory reason)
        private
    {
        vm.expectRevert(reason);
        this.makeOf(registry_, staking_, validator_, court_);
    }

    function _make(
        address registry_,
        address staking_,
        address validator_,
        address court_,
        RecordLimits memory records,
        LazyLimits memory bounds
    ) private {
        new LazyMarket(address(token), registry_, address(verifier), staking_, validator_, court_, records, bounds);
    }
}
