// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {DisputeCourt} from "../../src/lazy/DisputeCourt.sol";
import {LazyMarket} from "../../src/lazy/LazyMarket.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @dev Keeps a part of each transfer, or calls somebody in the middle of one, as it is told.
contract OddToken is ERC20("Odd", "ODD") {
    uint256 internal tax;
    address internal target;
    bytes internal data;
    bytes public result;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setTax(uint256 percent) external {
        tax = percent;
    }

    function arm(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        uint256 kept = from == address(0) ? 0 : amount * tax / 100;
        super._update(from, to, amount - kept);
        if (kept != 0) super._update(from, address(0xfee), kept);
        if (target == address(0)) return;
        address armed = target;
        target = address(0);
        (, result) = armed.call(data);
    }
}

/// @notice Attack: a token that takes a fee, so that the last to withdraw finds nothing, or one that hands over control
/// in the middle of a transfer, so that a deposit counts twice. What arrived is compared; nothing can be entered.
contract LazyBadTokenAttack is LazyNetwork {
    OddToken internal odd;
    LazyMarket internal oddMarket;
    DisputeCourt internal oddCourt;

    function setUp() public override {
        super.setUp();
        odd = new OddToken();
        ExecutorStaking oddStaking = new ExecutorStaking(address(odd), EXIT_DELAY, MIN_STAKE);
        oddCourt = new DisputeCourt(address(odd), CHALLENGE_BOND, EXECUTOR_BPS);
        oddMarket = new LazyMarket(
            address(odd),
            address(registry),
            address(verifier),
            address(oddStaking),
            address(validator),
            address(oddCourt),
            recordLimits(),
            lazyLimits()
        );
        // The token itself is the attacker's account: it calls and is called.
        odd.mint(address(odd), 1000);
        vm.startPrank(address(odd));
        odd.approve(address(oddMarket), 1000);
        odd.approve(address(oddCourt), 1000);
        oddMarket.deposit(100);
        oddCourt.deposit(100);
        vm.stopPrank();
    }

    function test_attack_aTaxOnDeposits() external {
        odd.setTax(1);
        _taxed(oddMarket);
        _taxed(oddCourt);
    }

    function test_attack_aDepositInADeposit() external {
        _nested(oddMarket, abi.encodeCall(lazy.deposit, (10)), abi.encodeCall(lazy.deposit, (20)), 120);
        _nested(oddCourt, abi.encodeCall(court.deposit, (10)), abi.encodeCall(court.deposit, (20)), 120);
    }

    function test_attack_aWithdrawalInAWithdrawal() external {
        bytes memory all = abi.encodeCall(lazy.withdraw, (100, address(odd)));
        _nested(oddMarket, all, all, 0);
        _nested(oddCourt, all, all, 0);
        assertEq(odd.balanceOf(address(odd)), 1000, "paid once at each");
    }

    function test_attack_aChallengeInADeposit() external {
        bytes memory commitment = abi.encodeCall(court.commitChallenge, (SALT));
        _nested(oddCourt, commitment, abi.encodeCall(court.deposit, (20)), 120);
    }

    function _taxed(ITokenAccounts accounts) private {
        vm.expectRevert(abi.encodeWithSelector(ITokenAccounts.TokenAccounts_TransferMismatch.selector, 99, 100));
        vm.prank(address(odd));
        accounts.deposit(100);
        assertEq(accounts.balanceOf(address(odd)), 100, "as before");
    }

    function _nested(ITokenAccounts accounts, bytes memory inner, bytes memory outer, uint256 expected) private {
        odd.arm(address(accounts), inner);
        vm.prank(address(odd));
        (bool success,) = address(accounts).call(outer);
        assertTrue(success, "the outer call");
        assertEq(
            odd.result(),
            abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            "the inner call is stopped by the guard"
        );
        assertEq(accounts.balanceOf(address(odd)), expected, "the outer call alone counts");
        assertEq(odd.balanceOf(address(accounts)), expected, "and the tokens are there");
    }
}
