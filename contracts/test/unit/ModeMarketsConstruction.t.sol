// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {AttestedMarket} from "../../src/attested/AttestedMarket.sol";
import {TestDollar} from "../../src/development/TestDollar.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {IQuorumMarket} from "../../src/quorum/IQuorumMarket.sol";
import {IQuorumMembers} from "../../src/quorum/IQuorumMembers.sol";
import {QuorumMarket} from "../../src/quorum/QuorumMarket.sol";
import {MemberLimits, RoundLimits} from "../../src/quorum/QuorumTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {RecordLimits} from "../../src/types/RecordTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice What the markets of quorums and attested answers may be built of. What they share is tested with their base.
contract ModeMarketsConstructionTest is QuorumNetwork {
    function test_whatTheyAreBuiltOf() external view {
        assertEq(uint256(market.MODE()), uint256(TrustMode.QUORUM), "mode");
        assertEq(market.token(), address(token), "token");
        assertEq(market.registry(), address(registry), "registry");
        assertEq(market.signatureValidator(), address(validator), "validator");
        assertEq(market.MIN_MEMBERS(), MIN_MEMBERS, "fewest");
        assertEq(market.MAX_MEMBERS(), MAX_MEMBERS, "most");
        assertEq(market.SEED_DELAY(), SEED_DELAY, "delay");
        assertEq(market.MIN_WINDOW(), MIN_WINDOW, "shortest");
        assertEq(market.MAX_WINDOW(), MAX_WINDOW, "longest");
        assertEq(market.MAX_INPUT_LENGTH(), MAX_INPUT_LENGTH, "input");
        assertEq(market.MAX_OUTPUT_LENGTH(), MAX_OUTPUT_LENGTH, "output");
        (, string memory name, string memory version, uint256 chainId, address verifying,,) = market.eip712Domain();
        assertEq(name, "Gateless QuorumMarket", "name");
        assertEq(version, "1", "version");
        assertEq(chainId, block.chainid, "chain");
        assertEq(verifying, address(market), "contract");
    }

    function test_theAttestedOne() external {
        AttestedMarket attested =
            new AttestedMarket(address(token), address(registry), address(validator), recordLimits());
        assertEq(uint256(attested.MODE()), uint256(TrustMode.ATTESTED), "mode");
        (, string memory name,,,,,) = attested.eip712Domain();
        assertEq(name, "Gateless AttestedMarket", "name");
        vm.expectRevert(IRecordMarket.RecordMarket_InvalidConfiguration.selector);
        new AttestedMarket(address(token), address(registry), stranger, recordLimits());
        RecordLimits memory limits = recordLimits();
        limits.maxOutputLength = 0;
        vm.expectRevert(IRecordMarket.RecordMarket_InvalidConfiguration.selector);
        new AttestedMarket(address(token), address(registry), address(validator), limits);
    }

    function test_refusesStakeInAnotherToken() external {
        ExecutorStaking other = new ExecutorStaking(address(new TestDollar()), EXIT_DELAY, MIN_LISTED);
        vm.expectRevert(IQuorumMarket.QuorumMarket_InvalidConfiguration.selector);
        _build(address(other), roundLimits(), memberLimits());
        vm.expectRevert(IQuorumMarket.QuorumMarket_InvalidConfiguration.selector);
        _build(stranger, roundLimits(), memberLimits());
    }

    function test_refusesRoundsThatAreNone() external {
        for (uint256 field = 0; field < 6; ++field) {
            RoundLimits memory rounds = roundLimits();
            if (field == 0) rounds.minMembers = 1;
            else if (field == 1) rounds.maxMembers = rounds.minMembers - 1;
            else if (field == 2) rounds.maxMembers = 33;
            else if (field == 3) rounds.seedDelay = 0;
            else if (field == 4) rounds.minWindow = 0;
            else rounds.maxWindow = rounds.minWindow - 1;
            vm.expectRevert(IQuorumMarket.QuorumMarket_InvalidConfiguration.selector);
            _build(address(staking), rounds, memberLimits());
        }
        RoundLimits memory widest = roundLimits();
        (widest.minMembers, widest.maxMembers, widest.seedDelay) = (2, 32, 1);
        widest.maxWindow = widest.minWindow;
        _build(address(staking), widest, memberLimits());
    }

    function test_refusesMembersWithNothingToLose() external {
        for (uint256 field = 0; field < 3; ++field) {
            MemberLimits memory limits = memberLimits();
            if (field == 0) limits.outlierSlash = 0;
            else if (field == 1) limits.outlierSlash = limits.seatBond + 1;
            else limits.seatBond = limits.minStake + 1;
            vm.expectRevert(IQuorumMembers.QuorumMembers_InvalidConfiguration.selector);
            _build(address(staking), roundLimits(), limits);
        }
        MemberLimits memory equal = MemberLimits({minStake: 1, seatBond: 1, outlierSlash: 1});
        _build(address(staking), roundLimits(), equal);
    }

    function _build(address staking_, RoundLimits memory rounds, MemberLimits memory limits) private {
        new QuorumMarket(
            address(token), address(registry), staking_, address(validator), recordLimits(), rounds, limits
        );
    }
}
