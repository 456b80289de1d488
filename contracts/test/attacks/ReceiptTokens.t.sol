// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {ReceiptCourt} from "../../src/ReceiptCourt.sol";
import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";
import {LavishToken, LyingToken, SilentToken, TaxedToken} from "./FeeOnTransferToken.t.sol";
import {HookedToken} from "./ReentrantToken.t.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @notice A court over a token that takes a fee, lies, or hands over control in the middle of a transfer.
contract ReceiptTokensAttack is CourtNetwork {
    function test_attack_taxedDepositsAndBondsAreRefused() external {
        TaxedToken taxed = new TaxedToken();
        ReceiptCourt taxedCourt = _courtOf(address(taxed));
        taxed.mint(stranger, 2 * MAX_CHALLENGE_BOND);
        bytes memory mismatch = abi.encodeWithSelector(
            IReceiptCourt.ReceiptCourt_TransferMismatch.selector,
            MAX_CHALLENGE_BOND - MAX_CHALLENGE_BOND / 100,
            MAX_CHALLENGE_BOND
        );
        vm.startPrank(stranger);
        taxed.approve(address(taxedCourt), 2 * MAX_CHALLENGE_BOND);
        vm.expectRevert(mismatch);
        taxedCourt.deposit(MAX_CHALLENGE_BOND);
        vm.expectRevert(mismatch);
        taxedCourt.commit(SALT);
        vm.stopPrank();
        assertEq(taxed.balanceOf(stranger), 2 * MAX_CHALLENGE_BOND, "nothing moved");
    }

    function test_attack_depositsThatGrowAreRefused() external {
        LavishToken lavish = new LavishToken();
        ReceiptCourt lavishCourt = _courtOf(address(lavish));
        lavish.mint(stranger, 100);
        vm.startPrank(stranger);
        lavish.approve(address(lavishCourt), 100);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_TransferMismatch.selector, 101, 100));
        lavishCourt.deposit(100);
        vm.stopPrank();
    }

    function test_attack_tokensThatLieAreRefused() external {
        ReceiptCourt lyingCourt = _courtOf(address(new LyingToken()));
        vm.expectRevert();
        lyingCourt.deposit(100);
        vm.expectRevert();
        lyingCourt.commit(SALT);
    }

    function test_tokensThatReturnNothingWork() external {
        SilentToken silent = new SilentToken();
        ReceiptCourt silentCourt = _courtOf(address(silent));
        silent.mint(stranger, MAX_CHALLENGE_BOND);
        vm.startPrank(stranger);
        silent.approve(address(silentCourt), MAX_CHALLENGE_BOND);
        uint256 claimId = silentCourt.commit(SALT);
        silentCourt.withdrawCommitment(claimId);
        silentCourt.withdraw(MAX_CHALLENGE_BOND, stranger);
        vm.stopPrank();
        assertEq(silent.balanceOf(stranger), MAX_CHALLENGE_BOND, "all back");
    }

    function test_attack_nothingIsEnteredInTheMiddleOfATransfer() external {
        HookedToken hooked = new HookedToken();
        ReceiptCourt hookedCourt = _courtOf(address(hooked));
        // The token itself is the attacker's account: it calls and is called.
        hooked.mint(address(hooked), 100 * MAX_CHALLENGE_BOND);
        vm.startPrank(address(hooked));
        hooked.approve(address(hookedCourt), type(uint256).max);
        hookedCourt.deposit(MAX_CHALLENGE_BOND);
        vm.stopPrank();
        bytes[7] memory inner = [
            abi.encodeCall(court.deposit, (1)),
            abi.encodeCall(court.withdraw, (1, address(hooked))),
            abi.encodeCall(court.commit, (SALT)),
            abi.encodeCall(court.withdrawCommitment, (1)),
            abi.encodeCall(court.burn, ()),
            abi.encodeCall(court.slash, (1)),
            abi.encodeCall(court.releasePool, (executor, epoch))
        ];
        for (uint256 i = 0; i < inner.length; ++i) {
            _attack(hooked, hookedCourt, inner[i], abi.encodeCall(court.deposit, (10)));
            _attack(hooked, hookedCourt, inner[i], abi.encodeCall(court.withdraw, (10, address(hooked))));
        }
        assertEq(hookedCourt.balanceOf(address(hooked)), MAX_CHALLENGE_BOND, "the outer calls alone");
        assertEq(hooked.balanceOf(address(hookedCourt)), MAX_CHALLENGE_BOND, "and it is there");
    }

    function _attack(HookedToken hooked, ReceiptCourt target, bytes memory inner, bytes memory outer) private {
        hooked.arm(address(target), inner);
        vm.prank(address(hooked));
        (bool success,) = address(target).call(outer);
        assertTrue(success, "the outer call");
        assertEq(
            hooked.result(),
            abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            "the inner call is stopped by the guard"
        );
    }

    function _courtOf(address coin) private returns (ReceiptCourt) {
        ExecutorStaking ownStaking = new ExecutorStaking(coin, EXIT_DELAY, MIN_STAKE);
        return new ReceiptCourt(address(verifier), address(ownStaking), courtLimits());
    }
}
