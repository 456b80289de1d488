// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {ReceiptCourt} from "../../src/ReceiptCourt.sol";
import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {CourtLimits} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

contract CourtConstructionTest is CourtNetwork {
    function test_keepsItsConstants() external view {
        assertEq(court.EPOCH_LENGTH(), EPOCH, "epoch");
        assertEq(court.MAX_RECEIPT_LIFE(), RECEIPT_LIFE, "life");
        assertEq(court.RESPONSE_WINDOW(), WINDOW, "window");
        assertEq(court.MIN_BOND(), MIN_BOND, "bond");
        assertEq(court.MIN_CHALLENGE_BOND(), MIN_CHALLENGE_BOND, "least challenge bond");
        assertEq(court.MAX_CHALLENGE_BOND(), MAX_CHALLENGE_BOND, "most challenge bond");
        assertEq(court.MAX_CAPACITY(), MAX_CAPACITY, "capacity");
        assertEq(court.REWARD_BPS(), REWARD_BPS, "reward");
        assertEq(court.EXECUTOR_BPS(), EXECUTOR_BPS, "executor's part");
        assertEq(court.MAX_INPUT_LENGTH(), COURT_MAX_INPUT, "input");
    }

    function test_knowsItsParts() external view {
        assertEq(court.token(), address(token), "token, of the staking contract");
        assertEq(court.staking(), address(staking), "staking");
        assertEq(court.zkVerifier(), address(verifier), "verifier");
        assertEq(court.BURN_ADDRESS(), staking.BURN_ADDRESS(), "one place to burn");
    }

    function test_tellsItsDomain() external view {
        (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address contract_,
            bytes32 salt,
            uint256[] memory extensions
        ) = court.eip712Domain();
        assertEq(uint8(fields), 0x0f, "name, version, chain, contract");
        assertEq(name, "Gateless ReceiptCourt", "name");
        assertEq(version, "1", "version");
        assertEq(chainId, block.chainid, "chain");
        assertEq(contract_, address(court), "contract");
        assertEq(salt, bytes32(0), "no salt");
        assertEq(extensions.length, 0, "no extensions");
    }

    function test_startsEmpty() external {
        ReceiptCourt fresh = new ReceiptCourt(address(verifier), address(staking), courtLimits());
        assertEq(fresh.claimCount(), 0, "claims");
        assertEq(fresh.pendingBurn(), 0, "to burn");
        assertEq(uint256(fresh.poolOf(executor, epoch).state), 0, "pools");
    }

    function test_needsCodeAtItsParts() external {
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NoCodeAt.selector, stranger));
        new ReceiptCourt(stranger, address(staking), courtLimits());
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NoCodeAt.selector, stranger));
        new ReceiptCourt(address(verifier), stranger, courtLimits());
    }

    function test_needsAnExitLongerThanAllMaximaTogether() external {
        uint64 least = EPOCH + RECEIPT_LIFE + WINDOW;
        ExecutorStaking hasty = new ExecutorStaking(address(token), least - 1, MIN_STAKE);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_ExitDelayTooShort.selector, least - 1, least));
        new ReceiptCourt(address(verifier), address(hasty), courtLimits());
        ExecutorStaking patient = new ExecutorStaking(address(token), least, MIN_STAKE);
        new ReceiptCourt(address(verifier), address(patient), courtLimits());
    }

    function test_refusesTimesOfZero() external {
        CourtLimits memory limits = courtLimits();
        limits.epochLength = 0;
        _expectRefused(limits);
        limits = courtLimits();
        limits.maxReceiptLife = 0;
        _expectRefused(limits);
        limits = courtLimits();
        limits.responseWindow = 0;
        _expectRefused(limits);
    }

    function test_refusesTimesThatWouldLockStakeForGood() external {
        CourtLimits memory limits = courtLimits();
        limits.epochLength = 365 days + 1;
        _expectRefused(limits);
        limits = courtLimits();
        limits.maxReceiptLife = 365 days + 1;
        _expectRefused(limits);
        limits = courtLimits();
        limits.responseWindow = 365 days + 1;
        _expectRefused(limits);
    }

    function test_refusesBondsThatCostNothing() external {
        CourtLimits memory limits = courtLimits();
        limits.minBond = 0;
        _expectRefused(limits);
        limits = courtLimits();
        limits.minChallengeBond = 0;
        _expectRefused(limits);
    }

    function test_refusesBondsThatDoNotFit() external {
        CourtLimits memory limits = courtLimits();
        limits.minBond = uint128(type(uint96).max) + 1;
        _expectRefused(limits);
        limits = courtLimits();
        limits.maxChallengeBond = uint128(type(uint96).max) + 1;
        _expectRefused(limits);
        limits = courtLimits();
        limits.minChallengeBond = limits.maxChallengeBond + 1;
        _expectRefused(limits);
    }

    function test_takesTheLargestBonds() external {
        CourtLimits memory limits = courtLimits();
        limits.minBond = type(uint96).max;
        limits.minChallengeBond = type(uint96).max;
        limits.maxChallengeBond = type(uint96).max;
        ReceiptCourt built = new ReceiptCourt(address(verifier), address(staking), limits);
        assertEq(built.MAX_CHALLENGE_BOND(), type(uint96).max, "fits");
    }

    function test_refusesNoCapacity() external {
        CourtLimits memory limits = courtLimits();
        limits.maxCapacity = 0;
        _expectRefused(limits);
    }

    function test_refusesSplitsThatBurnTooLittle() external {
        CourtLimits memory limits = courtLimits();
        limits.rewardBps = 2501;
        _expectRefused(limits);
        limits = courtLimits();
        limits.executorBps = 9001;
        _expectRefused(limits);
        limits = courtLimits();
        limits.rewardBps = 2500;
        limits.executorBps = 9000;
        new ReceiptCourt(address(verifier), address(staking), limits);
    }

    function test_takesSplitsThatBurnAll() external {
        CourtLimits memory limits = courtLimits();
        limits.rewardBps = 0;
        limits.executorBps = 0;
        ReceiptCourt built = new ReceiptCourt(address(verifier), address(staking), limits);
        assertEq(built.REWARD_BPS(), 0, "no reward");
    }

    function _expectRefused(CourtLimits memory limits) private {
        vm.expectRevert(IReceiptCourt.ReceiptCourt_InvalidConfiguration.selector);
        new ReceiptCourt(address(verifier), address(staking), limits);
    }
}
