// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest, AttestedState} from "../../src/attested/AttestedTypes.sol";
import {IAttestedMarket} from "../../src/attested/IAttestedMarket.sol";

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {Finality, Result} from "../../src/types/RecordTypes.sol";
import {AttestedNetwork} from "../AttestedNetwork.t.sol";
import {Listener} from "../Listener.t.sol";

contract AttestedMarketTest is AttestedNetwork {
    // --- what happens ---

    function test_anAnswerIsPaidAndFinal() external {
        AttestedRequest memory asked = request();
        uint256 requestId = market.idOf(asked);
        vm.expectEmit(address(market));
        emit IAttestedMarket.AttestedOpened(requestId, versionId, requester, asked, input);
        assertEq(open(asked), requestId, "the id is the digest");
        assertState(requestId, AttestedState.OPEN);
        assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "escrow");

        uint256 royalty = uint256(PRICE) * ROYALTY_BPS / 10_000;
        bytes memory evidence = evidenceFor(asked);
        vm.expectEmit(address(market));
        emit IAttestedMarket.AttestedFulfilled(
            requestId, versionId, executor, requester, PRICE - royalty, royalty, output
        );
        vm.prank(executor);
        market.fulfill(asked, PRICE, output, evidence);
        assertEq(market.balanceOf(executor), PRICE - royalty, "fee");
        assertEq(market.royaltyOf(modelId), royalty, "royalty");
        assertState(requestId, AttestedState.FINAL);
    }

    function test_theResultCarriesNoBond() external {
        AttestedRequest memory asked = request();
        uint256 requestId = open(asked);
        assertEq(uint256(market.resultOf(requestId).how), uint256(Finality.NONE), "not yet");
        fulfill(asked);
        Result memory result = market.resultOf(requestId);
        assertEq(result.versionId, versionId, "version");
        assertEq(uint256(result.mode), uint256(TrustMode.ATTESTED), "mode");
        assertEq(uint256(result.how), uint256(Finality.ATTESTED), "how");
        assertEq(result.bond, 0, "nobody's stake answers for it");
        assertEq(result.finalAt, block.timestamp, "when");
        assertEq(result.outputDigest, keccak256(output), "what");
    }

    function test_theCallbackIsToldTheOutput() external {
        Listener listener = new Listener();
        AttestedRequest memory asked = request();
        (asked.callback, asked.callbackGas) = (address(listener), 500_000);
        uint256 requestId = open(asked);
        fulfill(asked);
        bytes32 digest = keccak256(input);
        bytes memory told = abi.encode(address(market), requestId, versionId, requester, digest, digest, output);
        assertEq(listener.heard(), told, "all that it is told");
    }

    function test_thePriceIsThatOfTheSecond() external {
        AttestedRequest memory asked = rising();
        uint256 requestId = open(asked);
        skip(15 minutes);
        fulfill(asked);
        uint256 price = 1_000_003 + uint256(PRICE - 1_000_003) / 2;
        uint256 royalty = price * ROYALTY_BPS / 10_000;
        assertEq(market.balanceOf(executor), price - royalty, "half way up");
        assertEq(market.royaltyOf(modelId), royalty, "royalty of the price");
        assertEq(market.balanceOf(requester), DEPOSIT - price, "change");
        assertState(requestId, AttestedState.FINAL);
    }

    function test_aSignedRequestIsPaidFromTheDeposit() external {
        AttestedRequest memory asked = rising();
        asked.executor = executor;
        uint256 requestId = fulfillSigned(asked);
        assertEq(requestId, market.idOf(asked), "id");
        assertEq(market.balanceOf(requester), DEPOSIT - 1_000_003, "the least");
        assertState(requestId, AttestedState.FINAL);
        assertEq(market.nonceWord(requester, 0), 1, "nonce used");
    }

    function test_anUnansweredSignedRequestCostsNothing() external {
        AttestedRequest memory asked = request();
        sign(asked);
        skip(2 hours);
        vm.prank(requester);
        market.withdraw(DEPOSIT, requester);
        assertEq(token.balanceOf(requester), DEPOSIT, "everything is still his");
    }

    function test_refundAfterTheDeadline() external {
        AttestedRequest memory asked = request();
        uint256 requestId = open(asked);
        vm.warp(asked.deadline + 1);
        vm.expectEmit(address(market));
        emit IAttestedMarket.AttestedRefunded(requestId, requester, PRICE);
        vm.prank(stranger);
        market.refund(asked);
        assertEq(market.balanceOf(requester), DEPOSIT, "refunded");
        assertState(requestId, AttestedState.REFUNDED);
    }

    function test_theLastSecondStillCounts() external {
        AttestedRequest memory asked = request();
        open(asked);
        vm.warp(asked.deadline);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestedMarket.AttestedMarket_NotExpired.selector, market.idOf(asked), asked.deadline
            )
        );
        market.refund(asked);
        fulfill(asked);
    }

    // --- what is refused ---

    function test_refusesRequestsOfOthers() external {
        AttestedRequest memory asked = request();
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_NotRequester.selector, market.idOf(asked), stranger, requester
            )
        );
        vm.prank(stranger);
        market.request(asked, input);
    }

    function test_refusesOtherBindings() external {
        AttestedRequest memory asked = request();
        asked.inputBinding = keccak256("another input");
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_InputBindingMismatch.selector, asked.inputBinding, asked.inputDigest
            )
        );
        vm.prank(requester);
        market.request(asked, input);
    }

    function test_refusesVerifiersWithoutCode() external {
        AttestedRequest memory asked = request();
        asked.verifier = stranger;
        vm.expectRevert(abi.encodeWithSelector(IAttestedMarket.AttestedMarket_NoCodeAt.selector, stranger));
        vm.prank(requester);
        market.request(asked, input);
    }

    function test_refusesVersionsThatDoNotAllowIt() external {
        AttestedRequest memory asked = request();
        asked.versionId = publish(uint8(1 << uint8(TrustMode.QUORUM)));
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_ModeNotAllowed.selector, asked.versionId, TrustMode.ATTESTED
            )
        );
        vm.prank(requester);
        market.request(asked, input);
    }

    function test_refusesWhatNobodyCanPay() external {
        AttestedRequest memory asked = request();
        asked.maxPrice = uint128(DEPOSIT) + 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                ITokenAccounts.TokenAccounts_InsufficientBalance.selector, requester, DEPOSIT, DEPOSIT + 1
            )
        );
        vm.prank(requester);
        market.request(asked, input);
    }

    function test_refusesOthersThanTheNamedExecutor() external {
        AttestedRequest memory asked = request();
        asked.executor = stranger;
        open(asked);
        bytes memory evidence = evidenceFor(asked);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestedMarket.AttestedMarket_NotNamedExecutor.selector, market.idOf(asked), executor, stranger
            )
        );
        vm.prank(executor);
        market.fulfill(asked, 0, output, evidence);
    }

    function test_refusesAPriceBelowTheLeast() external {
        AttestedRequest memory asked = rising();
        open(asked);
        bytes memory evidence = evidenceFor(asked);
        vm.expectRevert(
            abi.encodeWithSelector(IAttestedMarket.AttestedMarket_PriceTooLow.selector, 1_000_003, 1_000_004)
        );
        vm.prank(executor);
        market.fulfill(asked, 1_000_004, output, evidence);
    }

    function test_refusesOutputsThatAreTooLong() external {
        AttestedRequest memory asked = request();
        open(asked);
        bytes memory long = new bytes(MAX_OUTPUT_LENGTH + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_OutputTooLong.selector, MAX_OUTPUT_LENGTH + 1, MAX_OUTPUT_LENGTH
            )
        );
        vm.prank(executor);
        market.fulfill(asked, 0, long, "");
    }

    function test_refusesWhatIsNotOpen() external {
        AttestedRequest memory asked = request();
        uint256 requestId = market.idOf(asked);
        bytes memory evidence = evidenceFor(asked);
        _expectState(requestId, AttestedState.NONE);
        vm.prank(executor);
        market.fulfill(asked, 0, output, evidence);
        _expectState(requestId, AttestedState.NONE);
        market.refund(asked);

        open(asked);
        fulfill(asked);
        _expectState(requestId, AttestedState.FINAL);
        vm.prank(executor);
        market.fulfill(asked, 0, output, evidence);
        vm.warp(asked.deadline + 1);
        _expectState(requestId, AttestedState.FINAL);
        market.refund(asked);

        AttestedRequest memory second = request();
        uint256 secondId = open(second);
        vm.warp(second.deadline + 1);
        market.refund(second);
        _expectState(secondId, AttestedState.REFUNDED);
        market.refund(second);
        _expectState(secondId, AttestedState.REFUNDED);
        market.fulfill(second, 0, output, "");
    }

    function test_refusesAnswersWithoutEvidence() external {
        AttestedRequest memory asked = request();
        uint256 requestId = open(asked);
        bytes memory reason = abi.encodeWithSignature("KeySetVerifier_EvidenceLength(uint256,uint256)", 0, 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestedMarket.AttestedMarket_NotAttested.selector, requestId, address(keySets), reason
            )
        );
        vm.prank(executor);
        market.fulfill(asked, 0, output, "");
    }

    function _expectState(uint256 requestId, AttestedState state) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_OtherRecord.selector, requestId, uint8(state), uint8(AttestedState.OPEN)
            )
        );
    }
}
