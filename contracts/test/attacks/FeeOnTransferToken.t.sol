// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {InferenceMarket} from "../../src/InferenceMarket.sol";
import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {Network} from "../Network.t.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev Keeps one percent of every transfer.
contract TaxedToken is ERC20("Taxed", "TAX") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        uint256 tax = from == address(0) ? 0 : amount / 100;
        super._update(from, to, amount - tax);
        if (tax != 0) super._update(from, address(0xfee), tax);
    }
}

/// @dev Delivers one more than was asked for, out of nothing.
contract LavishToken is ERC20("Lavish", "LAV") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0)) super._update(address(0), to, 1);
    }
}

/// @dev Returns nothing where ERC-20 says `bool`, like some large tokens.
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @dev Says `false` instead of reverting.
contract LyingToken {
    function balanceOf(address) external pure returns (uint256) {
        return 0;
    }

    function transferFrom(address, address, uint256) external pure returns (bool) {
        return false;
    }
}

/// @notice The token delivers less than the amount that is booked, so the last to withdraw would find nothing.
contract FeeOnTransferTokenAttack is Network {
    function test_attack_taxedDepositsAreRefused() external {
        TaxedToken taxed = new TaxedToken();
        (InferenceMarket taxedMarket, ExecutorStaking taxedStaking) = _networkOf(address(taxed));
        taxed.mint(stranger, 100);
        vm.startPrank(stranger);
        taxed.approve(address(taxedMarket), 100);
        vm.expectRevert(abi.encodeWithSelector(ITokenAccounts.TokenAccounts_TransferMismatch.selector, 99, 100));
        taxedMarket.deposit(100);
        taxed.approve(address(taxedStaking), 100);
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_TransferMismatch.selector, 99, 100));
        taxedStaking.stake(100);
        vm.stopPrank();
        assertEq(taxed.balanceOf(stranger), 100, "nothing moved");
    }

    /// @notice More than was asked for is no account's: not with tokens that grow either.
    function test_attack_depositsThatGrowAreRefused() external {
        LavishToken lavish = new LavishToken();
        (InferenceMarket lavishMarket, ExecutorStaking lavishStaking) = _networkOf(address(lavish));
        lavish.mint(stranger, 100);
        vm.startPrank(stranger);
        lavish.approve(address(lavishMarket), 100);
        vm.expectRevert(abi.encodeWithSelector(ITokenAccounts.TokenAccounts_TransferMismatch.selector, 101, 100));
        lavishMarket.deposit(100);
        lavish.approve(address(lavishStaking), 100);
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_TransferMismatch.selector, 101, 100));
        lavishStaking.stake(100);
        vm.stopPrank();
    }

    function test_attack_tokensThatLieAreRefused() external {
        LyingToken lying = new LyingToken();
        (InferenceMarket lyingMarket, ExecutorStaking lyingStaking) = _networkOf(address(lying));
        vm.expectRevert();
        lyingMarket.deposit(100);
        vm.expectRevert();
        lyingStaking.stake(100);
    }

    function test_tokensThatReturnNothingWork() external {
        SilentToken silent = new SilentToken();
        (InferenceMarket silentMarket, ExecutorStaking silentStaking) = _networkOf(address(silent));
        silent.mint(stranger, 100);
        vm.startPrank(stranger);
        silent.approve(address(silentMarket), 60);
        silentMarket.deposit(60);
        silentMarket.withdraw(60, stranger);
        silent.approve(address(silentStaking), 60);
        silentStaking.stake(60);
        silentStaking.withdraw(60, stranger);
        vm.stopPrank();
        assertEq(silent.balanceOf(stranger), 100, "all back");
    }

    function _networkOf(address coin) private returns (InferenceMarket, ExecutorStaking) {
        ExecutorStaking ownStaking = new ExecutorStaking(coin, EXIT_DELAY, MIN_STAKE);
        return (
            new InferenceMarket(
                coin, address(registry), address(verifier), address(ownStaking), address(validator), limits()
            ),
            ownStaking
        );
    }
}
