// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest, AttestedState} from "../../src/attested/AttestedTypes.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {AttestedNetwork} from "../AttestedNetwork.t.sol";

/// @notice One request is paid to two executors, or paid and refunded, or its result changed by a second answer that is
/// attested as well.
contract AttestedPaidTwiceAttack is AttestedNetwork {
    address internal second;

    function setUp() public override {
        super.setUp();
        second = makeAddr("second executor");
    }

    function test_attack_byTwoExecutors() external {
        AttestedRequest memory asked = request();
        uint256 requestId = open(asked);
        fulfill(asked);
        bytes memory other = evidenceOf(2, keys, list(0, 1), keySets.digestOf(answerOf(asked, hex"00", second)));
        _refused(requestId, AttestedState.FINAL);
        vm.prank(second);
        market.fulfill(asked, 0, hex"00", other);
        assertEq(market.resultOf(requestId).outputDigest, keccak256(output), "the first stands");
        assertEq(market.balanceOf(second), 0, "paid once");
    }

    function test_attack_paidAndRefunded() external {
        AttestedRequest memory asked = request();
        uint256 requestId = open(asked);
        fulfill(asked);
        vm.warp(asked.deadline + 1);
        _refused(requestId, AttestedState.FINAL);
        market.refund(asked);
        assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "paid");
    }

    function test_attack_refundedAndPaid() external {
        AttestedRequest memory asked = request();
        uint256 requestId = open(asked);
        vm.warp(asked.deadline + 1);
        market.refund(asked);
        vm.warp(asked.deadline);
        bytes memory evidence = evidenceFor(asked);
        _refused(requestId, AttestedState.REFUNDED);
        vm.prank(executor);
        market.fulfill(asked, 0, output, evidence);
        assertEq(market.balanceOf(requester), DEPOSIT, "refunded once");
    }

    function test_attack_twiceInABatch() external {
        AttestedRequest memory asked = request();
        open(asked);
        bytes memory evidence = evidenceFor(asked);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.fulfill, (asked, 0, output, evidence));
        calls[1] = calls[0];
        vm.prank(executor);
        assertEq(market.batch(calls), 1, "once");
        uint256 fee = PRICE - uint256(PRICE) * ROYALTY_BPS / 10_000;
        assertEq(market.balanceOf(executor), fee, "paid once");
    }

    function _refused(uint256 requestId, AttestedState state) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_OtherRecord.selector, requestId, uint8(state), uint8(AttestedState.OPEN)
            )
        );
    }
}
