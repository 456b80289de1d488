// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {QuorumMarket} from "../../src/quorum/QuorumMarket.sol";
import {QuorumRequest, QuorumState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice A signature is used twice, after it was cancelled, on another chain, at another market, or with one field
/// changed.
contract QuorumReplayAttack is QuorumNetwork {
    QuorumRequest internal asked;
    bytes internal signature;

    function setUp() public override {
        super.setUp();
        asked = request();
        asked.inputHint = "https://inputs.example/1";
        signature = signatureOf(requesterKey, market.idOf(asked));
    }

    function test_attack_twice() external {
        market.requestSigned(asked, signature, input);
        _refusedNonce();
    }

    function test_attack_afterTheRefund() external {
        market.requestSigned(asked, signature, input);
        uint64 openedBlock = uint64(block.number);
        vm.roll(openedBlock + SEED_DELAY + 257);
        market.refund(asked, openedBlock);
        _refusedNonce();
        assertState(market.idOf(asked), QuorumState.REFUNDED);
    }

    function test_attack_afterItWasCancelled() external {
        vm.prank(requester);
        market.cancelNonces(asked.nonce >> 8, 1 << (asked.nonce & 0xff));
        _refusedNonce();
    }

    function test_attack_sentAfterItWasSigned() external {
        market.requestSigned(asked, signature, input);
        vm.expectRevert(abi.encodeWithSelector(IRecordMarket.RecordMarket_NonceUsed.selector, requester, asked.nonce));
        vm.prank(requester);
        market.request(asked, input);
    }

    function test_attack_onAnotherChain() external {
        vm.chainId(block.chainid + 1);
        _refusedSignature(market);
    }

    function test_attack_atAnotherMarket() external {
        QuorumMarket other = new QuorumMarket(
            address(token),
            address(registry),
            address(staking),
            address(validator),
            recordLimits(),
            roundLimits(),
            memberLimits()
        );
        depositAt(address(other), requester, DEPOSIT);
        _refusedSignature(other);
    }

    function test_attack_anyFieldChanged() external {
        for (uint256 field = 0; field < 15; ++field) {
            uint256 id = vm.snapshotState();
            _change(field);
            _refusedSignature(market);
            vm.revertToState(id);
        }
        market.requestSigned(asked, signature, input);
    }

    function test_attack_afterTheDeadline() external {
        vm.warp(asked.deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_DeadlineOutOfRange.selector,
                asked.deadline,
                uint64(block.timestamp),
                uint64(block.timestamp) + MAX_LIFETIME
            )
        );
        market.requestSigned(asked, signature, input);
    }

    function _change(uint256 field) private {
        if (field == 0) asked.requester = stranger;
        else if (field == 1) asked.versionId += 1;
        else if (field == 2) asked.runtimeClass = keccak256("another");
        else if (field == 3) asked.inputDigest = keccak256("another");
        else if (field == 4) asked.inputBinding = keccak256("another");
        else if (field == 5) asked.price += 1;
        else if (field == 6) asked.members = 7;
        else if (field == 7) asked.threshold = 4;
        else if (field == 8) asked.minEligible += 1;
        else if (field == 9) asked.deadline += 1;
        else if (field == 10) asked.commitWindow += 1;
        else if (field == 11) asked.revealWindow += 1;
        else if (field == 12) asked.callback = stranger;
        else if (field == 13) asked.nonce += 1;
        else asked.inputHint = "https://inputs.example/2";
    }

    function _refusedNonce() private {
        vm.expectRevert(abi.encodeWithSelector(IRecordMarket.RecordMarket_NonceUsed.selector, requester, asked.nonce));
        market.requestSigned(asked, signature, input);
    }

    function _refusedSignature(QuorumMarket where) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_InvalidSignature.selector, where.idOf(asked), asked.requester
            )
        );
        where.requestSigned(asked, signature, input);
    }
}
