// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest} from "../../src/attested/AttestedTypes.sol";
import {InferenceReceiver} from "../../src/consumer/InferenceReceiver.sol";
import {IInferenceReceiver} from "../../src/interfaces/IInferenceReceiver.sol";
import {QuorumRequest} from "../../src/quorum/QuorumTypes.sol";
import {LazyClaim, LazyRequest} from "../../src/types/LazyTypes.sol";
import {BoardNetwork} from "../BoardNetwork.t.sol";

/// @dev Notes what it took, and trusts one account beside itself.
contract ModeReceiver is InferenceReceiver {
    address private immutable _TRUSTED;
    uint256 public taken;
    bytes public output;

    constructor(address market, uint64 versionId, uint8 modes, address trusted)
        InferenceReceiver(market, versionId, modes)
    {
        _TRUSTED = trusted;
    }

    function _receive(uint256, address, bytes32, bytes calldata output_) internal override {
        ++taken;
        output = output_;
    }

    function _trustsTermsOf(address account) internal view override returns (bool) {
        return account == _TRUSTED || super._trustsTermsOf(account);
    }
}

/// @title Receivers of answers of the markets that have one mode each
contract ReceiverModesTest is BoardNetwork {
    uint32 private constant CALLBACK_GAS = 200_000;

    function test_aMarketsOneModeMustBeAccepted() external {
        address[3] memory markets = [address(lazy), address(quorum), address(attested)];
        uint8[3] memory modes = [LAZY, QUORUM, ATTESTED];
        for (uint256 i = 0; i < markets.length; ++i) {
            uint8 others = ALL_MODES & ~modes[i];
            vm.expectRevert(
                abi.encodeWithSelector(IInferenceReceiver.InferenceReceiver_NoCommonMode.selector, modes[i], others)
            );
            new ModeReceiver(markets[i], everyMode, others, stranger);
            assertEq(new ModeReceiver(markets[i], everyMode, modes[i], stranger).ACCEPTED_MODES(), modes[i], "accepted");
        }
        // What the version does not allow, its market never answers.
        vm.expectRevert(abi.encodeWithSelector(IInferenceReceiver.InferenceReceiver_NoCommonMode.selector, 0, QUORUM));
        new ModeReceiver(address(quorum), packedVersion, QUORUM, stranger);
    }

    function test_takesALazyAnswerWhoeverAsked() external {
        ModeReceiver receiver = new ModeReceiver(address(lazy), everyMode, LAZY | ZK, address(0));
        LazyRequest memory asked = lazyAsked(COLLATERAL);
        (asked.callback, asked.callbackGas) = (address(receiver), CALLBACK_GAS);
        LazyClaim memory claim = answerSigned(asked, truth());
        assertEq(receiver.taken(), 0, "not before it is final");
        pastWindow(claim);
        lazy.finalize(claim, truth());
        assertEq(receiver.taken(), 1, "taken");
        assertEq(receiver.output(), truth(), "what it says");
    }

    function test_takesAQuorumsAnswerOfATrustedRequester() external {
        ModeReceiver receiver = new ModeReceiver(address(quorum), everyMode, QUORUM, requester);
        QuorumRequest memory asked = quorumAsked(CLASS);
        (asked.callback, asked.callbackGas) = (address(receiver), CALLBACK_GAS);
        agreeOn(asked, truth());
        assertEq(receiver.taken(), 1, "taken");
    }

    function test_takesAnAttestedAnswerOfATrustedRequester() external {
        ModeReceiver receiver = new ModeReceiver(address(attested), everyMode, ATTESTED, requester);
        AttestedRequest memory asked = attestedAsked();
        (asked.callback, asked.callbackGas) = (address(receiver), CALLBACK_GAS);
        answerAttested(asked, keys, truth());
        assertEq(receiver.taken(), 1, "taken");
    }

    function test_trustsNobodyButItselfUnlessItSaysSo() external {
        ModeReceiver receiver = new ModeReceiver(address(attested), everyMode, ATTESTED, address(0));
        bytes32 asked = binding();
        bytes memory answer = truth();
        vm.startPrank(address(attested));
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceReceiver.InferenceReceiver_TermsOfStranger.selector, requester)
        );
        receiver.onInference(1, everyMode, requester, asked, asked, answer);
        receiver.onInference(1, everyMode, address(receiver), asked, asked, answer);
        vm.stopPrank();
        assertEq(receiver.taken(), 1, "its own");
    }

    function test_theMarketOfProofsIsBelievedAsBefore() external {
        ModeReceiver receiver = new ModeReceiver(address(market), everyMode, ZK, address(0));
        bytes32 asked = binding();
        uint256 requestId = provenResult();
        bytes memory answer = truth();
        vm.prank(address(market));
        receiver.onInference(requestId, everyMode, stranger, asked, asked, answer);
        assertEq(receiver.taken(), 1, "taken, whoever asked");
    }
}
