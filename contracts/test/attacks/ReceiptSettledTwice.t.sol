// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {ClaimState, Receipt} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice A claim that is final is settled again, to be paid twice or to change the verdict.
contract ReceiptSettledTwiceAttack is CourtNetwork {
    struct Sums {
        uint256 challengers;
        uint256 executors;
        uint256 burning;
        uint256 credits;
        uint256 stake;
        uint256 stakeBurning;
    }

    function test_attack_provenClaims() external {
        uint256 claimId = challenged(honest(0));
        respond(claimId);
        _tryEverything(claimId, honest(0), ClaimState.PROVEN);
    }

    function test_attack_slashedClaims() external {
        uint256 claimId = challenged(honest(0));
        slashed(claimId);
        _tryEverything(claimId, honest(0), ClaimState.SLASHED);
    }

    function test_attack_mootClaims() external {
        uint256 first = challenged(honest(0));
        uint256 second = challenged(honest(0));
        missDeadline(second);
        court.slash(first);
        court.slash(second);
        _tryEverything(second, honest(0), ClaimState.MOOT);
    }

    function test_attack_withdrawnClaims() external {
        Receipt memory receipt = honest(0);
        uint256 claimId = committed(challenger, receipt);
        vm.prank(challenger);
        court.withdrawCommitment(claimId);
        _tryEverything(claimId, receipt, ClaimState.WITHDRAWN);
    }

    function test_attack_reportedClaims() external {
        uint256 claimId = reportBy(challenger, honest(0), lie(0));
        _tryEverything(claimId, honest(0), ClaimState.REPORTED);
    }

    /// @dev The receipt of a slashed claim brings nothing a second time, by whomever.
    function test_attack_aSlashedReceiptAgain() external {
        Receipt memory receipt = lie(0);
        slashed(challenged(receipt));
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        vm.expectRevert();
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
        assertEq(staking.creditOf(client), RECEIPT_PRICE, "once");
    }

    /// @dev Two claims on one receipt: the bond pays one of them.
    function test_attack_oneReceiptTwoClaims() external {
        uint256 first = challenged(lie(0));
        uint256 second = challenged(lie(0));
        missDeadline(second);
        court.slash(second);
        court.slash(first);
        assertEq(staking.creditOf(client), RECEIPT_PRICE, "compensated once");
        assertEq(staking.creditOf(challenger), uint256(BOND) * REWARD_BPS / 10_000, "rewarded once");
        assertEq(allocatedStake(), COURT_STAKE - BOND, "one bond");
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT, "both bonds back");
    }

    function _tryEverything(uint256 claimId, Receipt memory receipt, ClaimState state) private {
        Sums memory before = _sums();
        Case memory proven = packed.cases[0];
        bytes memory signature = sign(receipt);
        vm.roll(block.number + 1);
        vm.startPrank(challenger);
        vm.expectRevert(IReceiptCourt.ReceiptCourt_NothingToSettle.selector);
        court.respond(ids(claimId), 0, proven.input, proven.output, proven.proof);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NotOpen.selector, claimId, state));
        court.slash(claimId);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NotCommitted.selector, claimId, state));
        court.withdrawCommitment(claimId);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NotCommitted.selector, claimId, state));
        court.challengeReceipt(claimId, receipt, signature, proven.input, SALT);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NotCommitted.selector, claimId, state));
        court.reportEquivocation(claimId, receipt, signature, receipt, signature, SALT);
        vm.stopPrank();
        assertClaim(claimId, state);
        assertEq(abi.encode(_sums()), abi.encode(before), "no money moved");
    }

    function _sums() private view returns (Sums memory) {
        return Sums({
            challengers: court.balanceOf(challenger),
            executors: court.balanceOf(executor),
            burning: court.pendingBurn(),
            credits: staking.creditOf(client) + staking.creditOf(challenger),
            stake: allocatedStake(),
            stakeBurning: staking.pendingBurn()
        });
    }
}
