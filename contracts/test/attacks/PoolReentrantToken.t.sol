// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TestDollar} from "../../src/development/TestDollar.sol";
import {VolatilityFeePool} from "../../src/examples/VolatilityFeePool.sol";
import {PoolNetwork} from "../PoolNetwork.t.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @dev Calls whatever was prepared during each of its transfers, and may keep a part of them.
contract CallingToken is ERC20 {
    address public target;
    bytes public data;
    bytes public refusal;
    bool public entered;
    uint256 public tax;

    constructor() ERC20("Calling", "CALL") {
        _mint(msg.sender, 1_000_000e6);
    }

    function prepare(address target_, bytes memory data_) external {
        (target, data, entered, refusal) = (target_, data_, false, "");
    }

    function setTax(uint256 tax_) external {
        tax = tax_;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (tax != 0 && from != address(0) && to != address(0xfee)) super._update(to, address(0xfee), tax);
        if (target == address(0)) return;
        (bool success, bytes memory result) = target.call(data);
        (entered, refusal) = (entered || success, result);
    }
}

/// @notice One of the pool's tokens calls the pool back in the middle of a transfer, or takes a part of it.
contract PoolReentrantTokenAttack is PoolNetwork {
    CallingToken internal calling;
    VolatilityFeePool internal victim;

    function setUp() public override {
        super.setUp();
        calling = new CallingToken();
        victim = new VolatilityFeePool(
            address(market), volatilityVersion, IERC20(address(calling)), IERC20(address(token)), poolFees()
        );
        token.mint(address(this), 500_000e6);
        token.approve(address(victim), type(uint256).max);
        calling.approve(address(victim), type(uint256).max);
        victim.addLiquidity(RESERVE, RESERVE, 0, address(this));
        // The token itself has what it needs to do the same from outside.
        calling.transfer(address(calling), 100_000e6);
        token.mint(address(calling), 100_000e6);
        victim.transfer(address(calling), 1000e6);
        vm.startPrank(address(calling));
        calling.approve(address(victim), type(uint256).max);
        token.approve(address(victim), type(uint256).max);
        vm.stopPrank();
    }

    function test_attack_noFunctionCanBeEntered() external {
        vm.warp(block.timestamp + 10 * PERIOD);
        bytes[4] memory calls = [
            abi.encodeCall(victim.swap, (false, 1000, 0, address(calling))),
            abi.encodeCall(victim.addLiquidity, (1000, 1000, 0, address(calling))),
            abi.encodeCall(victim.removeLiquidity, (1000, 0, 0, address(calling))),
            abi.encodeCall(victim.requestForecast, (0, COLLATERAL))
        ];
        for (uint256 i = 0; i < 4; ++i) {
            calling.prepare(address(0), "");
            vm.prank(address(calling));
            (bool success,) = address(victim).call(calls[i]);
            assertTrue(success, "from outside it succeeds");
            calling.prepare(address(victim), calls[i]);
            victim.swap(true, 1000e6, 0, address(this));
            assertFalse(calling.entered(), "entered");
            assertEq(
                calling.refusal(),
                abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
                "stopped by the guard"
            );
            victim.addLiquidity(1000e6, 1000e6, 0, address(this));
            victim.removeLiquidity(100e6, 0, 0, address(this));
            assertFalse(calling.entered(), "entered");
        }
    }

    function test_attack_aTokenThatTakesAFee() external {
        calling.setTax(1);
        vm.expectRevert(
            abi.encodeWithSelector(VolatilityFeePool.VolatilityFeePool_TransferMismatch.selector, 1000e6 - 1, 1000e6)
        );
        victim.swap(true, 1000e6, 0, address(this));
        vm.expectPartialRevert(VolatilityFeePool.VolatilityFeePool_TransferMismatch.selector);
        victim.addLiquidity(1000e6, 1000e6, 0, address(this));
    }
}
