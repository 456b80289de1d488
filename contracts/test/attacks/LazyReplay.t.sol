// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {LazyMarket} from "../../src/lazy/LazyMarket.sol";
import {LazyClaim, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: what was signed or answered once is used again: on a fork with another chain id, at another market,
/// or under a nonce that was used. An id is a digest over chain, contract and nonce.
contract LazyReplayAttack is LazyNetwork {
    LazyMarket internal other;

    function setUp() public override {
        super.setUp();
        other = new LazyMarket(
            address(token),
            address(registry),
            address(verifier),
            address(staking),
            address(validator),
            address(court),
            recordLimits(),
            lazyLimits()
        );
        token.mint(requester, DEPOSIT);
        vm.startPrank(requester);
        token.approve(address(other), DEPOSIT);
        other.deposit(DEPOSIT);
        vm.stopPrank();
    }

    function testFuzz_attack_anotherChain(uint64 chainId) external {
        vm.assume(chainId != 0 && chainId != block.chainid);
        LazyRequest memory request = wanted();
        bytes memory signature = signatureFor(request);
        vm.chainId(chainId); // the same contracts, as after a fork of the chain
        vm.expectPartialRevert(IRecordMarket.RecordMarket_InvalidSignature.selector);
        vm.prank(executor);
        lazy.lockSigned(request, signature, 0, 0);
    }

    function test_attack_anotherMarket() external {
        LazyRequest memory request = wanted();
        bytes memory signature = signatureFor(request);
        vm.expectPartialRevert(IRecordMarket.RecordMarket_InvalidSignature.selector);
        vm.prank(executor);
        other.lockSigned(request, signature, 0, 0);
    }

    function test_attack_anotherMarketsClaim() external {
        LazyClaim memory claim = honest();
        pastWindow(claim);
        vm.expectRevert(otherRecord(claim.requestId, LazyState.NONE, LazyState.ANSWERED));
        other.finalize(claim, "");
        // A commitment to a challenge at one market opens none at another.
        LazyClaim memory wrong = lie();
        commitTo(challenger, wrong);
        nextBlock();
        vm.expectRevert();
        vm.prank(challenger);
        court.challenge(address(other), wrong, SALT);
    }

    function test_attack_theSameSignatureTwice() external {
        LazyRequest memory request = wantedNamed();
        bytes memory signature = signatureFor(request);
        answerSigned(request, truth());
        vm.expectRevert(abi.encodeWithSelector(IRecordMarket.RecordMarket_NonceUsed.selector, requester, request.nonce));
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, signature, truth());
    }

    /// @notice The end of a request frees neither its nonce nor its id.
    function test_attack_againAfterTheRefund() external {
        LazyRequest memory request = wanted();
        send(request);
        vm.prank(requester);
        lazy.cancel(request);
        bytes memory signature = signatureFor(request);
        vm.expectPartialRevert(IRecordMarket.RecordMarket_NonceUsed.selector);
        vm.prank(executor);
        lazy.lockSigned(request, signature, 0, 0);
    }
}
