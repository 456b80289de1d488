// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedMarket} from "../../src/attested/AttestedMarket.sol";
import {AttestedRequest} from "../../src/attested/AttestedTypes.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {AttestedNetwork} from "../AttestedNetwork.t.sol";

/// @notice What a requester signed once is used again, after it was cancelled, elsewhere, or with one field changed; or
/// evidence for one of his requests answers another.
contract AttestedReplayAttack is AttestedNetwork {
    AttestedRequest internal asked;
    bytes internal signature;
    bytes internal evidence;

    function setUp() public override {
        super.setUp();
        asked = request();
        signature = sign(asked);
        evidence = evidenceFor(asked);
    }

    function test_attack_twice() external {
        fulfillSigned(asked);
        _refusedNonce();
        assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "paid once");
    }

    function test_attack_sentAndSigned() external {
        open(asked);
        _refusedNonce();
        fulfill(asked);
        _refusedNonce();
        assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "paid once");
    }

    function test_attack_afterItWasCancelled() external {
        vm.prank(requester);
        market.cancelNonces(asked.nonce >> 8, 1 << (asked.nonce & 0xff));
        _refusedNonce();
    }

    function test_attack_onAnotherChain() external {
        vm.chainId(block.chainid + 1);
        _refusedSignature(market);
    }

    function test_attack_atAnotherMarket() external {
        AttestedMarket other = new AttestedMarket(address(token), address(registry), address(validator), recordLimits());
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
        fulfillSigned(asked);
    }

    /// @dev Two requests alike but for the nonce: evidence answers the one that it names.
    function test_attack_evidenceForAnotherRequest() external {
        AttestedRequest memory second = request();
        open(second);
        vm.expectPartialRevert(NOT_ATTESTED);
        vm.prank(executor);
        market.fulfill(second, 0, output, evidence);
    }

    bytes4 private constant NOT_ATTESTED = bytes4(keccak256("AttestedMarket_NotAttested(uint256,address,bytes)"));

    function _change(uint256 field) private {
        if (field == 0) asked.requester = stranger;
        else if (field == 1) asked.versionId += 1;
        else if (field == 2) asked.inputDigest = keccak256("another");
        else if (field == 3) asked.inputBinding = keccak256("another");
        else if (field == 4) asked.maxPrice += 1;
        else if (field == 5) asked.minPrice += 1;
        else if (field == 6) asked.rampStart += 1;
        else if (field == 7) asked.rampLength += 1;
        else if (field == 8) asked.deadline += 1;
        else if (field == 9) asked.verifier = address(market);
        else if (field == 10) asked.policy = keccak256("another");
        else if (field == 11) asked.executor = executor;
        else if (field == 12) asked.callback = stranger;
        else if (field == 13) asked.nonce += 1;
        else asked.inputHint = "https://inputs.example/2";
    }

    function _refusedNonce() private {
        vm.expectRevert(abi.encodeWithSelector(IRecordMarket.RecordMarket_NonceUsed.selector, requester, asked.nonce));
        vm.prank(executor);
        market.fulfillSigned(asked, signature, 0, output, evidence);
    }

    function _refusedSignature(AttestedMarket where) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_InvalidSignature.selector, where.idOf(asked), asked.requester
            )
        );
        vm.prank(executor);
        where.fulfillSigned(asked, signature, 0, output, evidence);
    }
}
