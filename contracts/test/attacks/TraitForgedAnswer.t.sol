// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TraitToken} from "../../src/examples/TraitToken.sol";
import {IInferenceReceiver} from "../../src/interfaces/IInferenceReceiver.sol";
import {IRequestingConsumer} from "../../src/interfaces/IRequestingConsumer.sol";
import {RequestParams} from "../../src/types/MarketTypes.sol";
import {TraitNetwork} from "../TraitNetwork.t.sol";

/// @notice A holder wants another trait for his token than the classifier sees in it: by a made-up answer, by the proof
/// of another picture, by an answer to another token's question, or by an old answer again.
contract TraitForgedAnswerAttack is TraitNetwork {
    uint256 internal tokenId;

    function setUp() public override {
        super.setUp();
        tokenId = mintAs(artist, picture);
    }

    function test_attack_aStrangersAnswer() external {
        uint256 requestId = askAs(artist, tokenId, picture);
        bytes memory output = digits.cases[1].output;
        vm.prank(artist);
        vm.expectRevert(abi.encodeWithSelector(IInferenceReceiver.InferenceReceiver_NotMarket.selector, artist));
        pictures.onInference(requestId, digitsVersion, address(pictures), 0, 0, output);
        vm.expectRevert(abi.encodeWithSelector(TraitToken.TraitToken_NoTrait.selector, tokenId));
        pictures.traitOf(tokenId);
    }

    /// @notice A real proof, paid by the holder himself, of a picture with the label that he wants.
    function test_attack_aProofForAnotherPicture() external {
        vm.expectPartialRevert(TraitToken.TraitToken_OtherPicture.selector);
        askAs(artist, tokenId, digits.cases[1].input);
        RequestParams memory params = paramsFor(digitsVersion, digits, 1);
        (params.callback, params.callbackGas) = (address(pictures), 400_000);
        answer(open(params), 1);
        vm.expectRevert(abi.encodeWithSelector(TraitToken.TraitToken_NoTrait.selector, tokenId));
        pictures.traitOf(tokenId);
    }

    /// @notice The answer about one token sets that token's trait and no other's.
    function test_attack_anotherTokensAnswer() external {
        uint256 wanted = mintAs(artist, digits.cases[1].input);
        answer(askAs(artist, wanted, digits.cases[1].input), 1);
        assertEq(pictures.traitOf(wanted), 5, "its own");
        vm.expectRevert(abi.encodeWithSelector(TraitToken.TraitToken_NoTrait.selector, tokenId));
        pictures.traitOf(tokenId);
    }

    function test_attack_aReplayedAnswer() external {
        uint256 requestId = askAs(artist, tokenId, picture);
        answer(requestId, 0);
        bytes memory output = digits.cases[0].output;
        bytes memory refusal =
            abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotAwaited.selector, requestId);
        vm.expectRevert(refusal);
        pictures.deliver(requestId, output);
        vm.prank(address(market));
        vm.expectRevert(refusal);
        pictures.onInference(requestId, digitsVersion, address(pictures), 0, 0, output);
    }

    /// @notice Two questions about one token are open; the second answer changes nothing, even where a circuit would
    /// leave a prover a choice.
    function test_attack_aSecondOpinion() external {
        uint256 first = askAs(artist, tokenId, picture);
        uint256 second = askAs(stranger, tokenId, picture);
        answer(first, 0);
        vm.prank(address(market));
        pictures.onInference(second, digitsVersion, address(pictures), 0, 0, digits.cases[1].output);
        assertEq(pictures.traitOf(tokenId), 1, "the first stands");
    }
}
