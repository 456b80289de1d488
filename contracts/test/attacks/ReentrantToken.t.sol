// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {InferenceMarket} from "../../src/InferenceMarket.sol";
import {Network} from "../Network.t.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @dev Calls back whoever sends it, in the middle of the transfer.
contract HookedToken is ERC20("Hooked", "HOOK") {
    address internal target;
    bytes internal data;
    bytes public result;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function arm(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (target == address(0)) return;
        address armed = target;
        target = address(0);
        (, result) = armed.call(data);
    }
}

/// @notice The token hands over control in the middle of a transfer: a second deposit inside the first would be counted
/// in both, and a withdrawal inside a withdrawal would be paid twice.
contract ReentrantTokenAttack is Network {
    HookedToken internal hooked;
    InferenceMarket internal hookedMarket;
    ExecutorStaking internal hookedStaking;

    function setUp() public override {
        super.setUp();
        hooked = new HookedToken();
        hookedStaking = new ExecutorStaking(address(hooked), EXIT_DELAY, MIN_STAKE);
        hookedMarket = new InferenceMarket(
            address(hooked), address(registry), address(verifier), address(hookedStaking), address(validator), limits()
        );
        // The token itself is the attacker's account: it calls and is called.
        hooked.mint(address(hooked), 1000);
        vm.startPrank(address(hooked));
        hooked.approve(address(hookedMarket), 1000);
        hooked.approve(address(hookedStaking), 1000);
        hookedMarket.deposit(100);
        hookedStaking.stake(100);
        vm.stopPrank();
    }

    function test_attack_depositInADeposit() external {
        _attack(address(hookedMarket), abi.encodeCall(market.deposit, (10)), abi.encodeCall(market.deposit, (20)));
        assertEq(hookedMarket.balanceOf(address(hooked)), 120, "the outer deposit alone");
    }

    function test_attack_withdrawInAWithdrawal() external {
        _attack(
            address(hookedMarket),
            abi.encodeCall(market.withdraw, (100, address(hooked))),
            abi.encodeCall(market.withdraw, (100, address(hooked)))
        );
        assertEq(hookedMarket.balanceOf(address(hooked)), 0, "once");
        assertEq(hooked.balanceOf(address(hookedMarket)), 0, "paid once");
    }

    function test_attack_stakeInAStake() external {
        _attack(address(hookedStaking), abi.encodeCall(staking.stake, (10)), abi.encodeCall(staking.stake, (20)));
        assertEq(hookedStaking.freeStake(address(hooked)), 120, "the outer stake alone");
    }

    function test_attack_allocateInAWithdrawal() external {
        _attack(
            address(hookedStaking),
            abi.encodeCall(staking.allocate, (stranger, 100)),
            abi.encodeCall(staking.withdraw, (100, address(hooked)))
        );
        assertEq(hookedStaking.totalStake(address(hooked)), 0, "withdrawn");
    }

    function _attack(address target, bytes memory inner, bytes memory outer) private {
        hooked.arm(target, inner);
        vm.prank(address(hooked));
        (bool success,) = target.call(outer);
        assertTrue(success, "the outer call");
        assertEq(
            hooked.result(),
            abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            "the inner call is stopped by the guard"
        );
    }
}
