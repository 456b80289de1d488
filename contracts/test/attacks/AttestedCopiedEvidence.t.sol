// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest, AttestedState} from "../../src/attested/AttestedTypes.sol";
import {IAttestedMarket} from "../../src/attested/IAttestedMarket.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {AttestedNetwork} from "../AttestedNetwork.t.sol";

/// @notice Whoever watches the mempool sees an answer with its evidence, and sends it first, in his own name.
contract AttestedCopiedEvidenceAttack is AttestedNetwork {
    address internal thief;

    function setUp() public override {
        super.setUp();
        thief = makeAddr("thief");
    }

    function test_attack_aCopyIsWorthNothing() external {
        AttestedRequest memory asked = request();
        uint256 requestId = open(asked);
        bytes memory evidence = evidenceFor(asked);
        _refused(requestId);
        vm.prank(thief);
        market.fulfill(asked, 0, output, evidence);
        fulfill(asked);
        assertState(requestId, AttestedState.FINAL);
        assertEq(market.balanceOf(thief), 0, "nothing for the thief");
        assertTrue(market.balanceOf(executor) != 0, "whom the keys named is paid");
    }

    function test_attack_aSignedRequestsToo() external {
        AttestedRequest memory asked = request();
        (bytes memory evidence, bytes memory signature) = (evidenceFor(asked), sign(asked));
        _refused(market.idOf(asked));
        vm.prank(thief);
        market.fulfillSigned(asked, signature, 0, output, evidence);
        fulfillSigned(asked);
        assertEq(market.balanceOf(thief), 0, "nothing for the thief");
    }

    /// @dev In a batch the caller is the one who sent it, not the market.
    function test_attack_throughABatch() external {
        AttestedRequest memory asked = request();
        open(asked);
        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeCall(market.fulfill, (asked, 0, output, evidenceFor(asked)));
        vm.expectRevert(IRecordMarket.RecordMarket_NothingDone.selector);
        vm.prank(thief);
        market.batch(calls);
        vm.prank(executor);
        assertEq(market.batch(calls), 1, "whom the keys named");
    }

    /// @dev The same output is no secret, once shown: he needs keys of his own.
    function testFuzz_attack_signaturesForAnybodyElse(address payee) external {
        if (payee == executor) return;
        AttestedRequest memory asked = request();
        uint256 requestId = open(asked);
        bytes memory evidence = evidenceOf(2, keys, list(0, 2), keySets.digestOf(answerOf(asked, output, payee)));
        _refused(requestId);
        vm.prank(executor);
        market.fulfill(asked, 0, output, evidence);
    }

    function _refused(uint256 requestId) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestedMarket.AttestedMarket_NotAttested.selector,
                requestId,
                address(keySets),
                abi.encodeWithSignature("KeySetVerifier_InvalidSignature(uint256,address)", 0, vm.addr(keys[0]))
            )
        );
    }
}
