// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Permit, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice Somebody takes the permit out of the mempool and uses it first, so that the victim's transaction fails.
contract PermitFrontRunAttack is Network {
    function setUp() public override {
        super.setUp();
        token.mint(requester, 50e6);
    }

    function test_attack_onADeposit() external {
        Permit memory permit = permitFor(requesterKey, address(market), 50e6, block.timestamp);
        _frontRun(permit, address(market));
        vm.prank(requester);
        market.depositWithPermit(permit);
        assertEq(market.balanceOf(requester), DEPOSIT + 50e6, "deposited all the same");
    }

    function test_attack_onARequest() external {
        Permit memory permit = permitFor(requesterKey, address(market), 50e6, block.timestamp);
        _frontRun(permit, address(market));
        vm.prank(requester);
        uint256 requestId = market.requestWithPermit(packedParams(), "", "", permit);
        assertState(requestId, RequestState.OPEN);
    }

    function test_attack_onAStake() external {
        Permit memory permit = permitFor(requesterKey, address(staking), 50e6, block.timestamp);
        _frontRun(permit, address(staking));
        vm.prank(requester);
        staking.stakeWithPermit(50e6, permit.deadline, permit.v, permit.r, permit.s);
        assertEq(staking.freeStake(requester), 50e6, "staked all the same");
    }

    function test_attack_theAllowanceServesItsOwnerOnly() external {
        Permit memory permit = permitFor(requesterKey, address(market), 50e6, block.timestamp);
        _frontRun(permit, address(market));
        // The thief carries the victim's permit into a deposit of his own: the tokens are pulled from the caller.
        vm.expectRevert();
        vm.prank(stranger);
        market.depositWithPermit(permit);
        assertEq(token.balanceOf(requester), 50e6, "the victim's tokens are where they were");
    }

    function _frontRun(Permit memory permit, address spender) private {
        vm.prank(stranger);
        token.permit(requester, spender, permit.value, permit.deadline, permit.v, permit.r, permit.s);
    }
}
