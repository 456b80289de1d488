// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest, AttestedState} from "../../src/attested/AttestedTypes.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {AttestedNetwork} from "../AttestedNetwork.t.sol";

/// @notice A version whose outputs no answer can carry: whoever runs it works for nothing, and prices wait in escrow
/// for answers that cannot come.
contract AttestedUndeliverableOutputAttack is AttestedNetwork {
    /// @dev One float more than fits.
    bytes private constant TOO_LONG = hex"0101040000000002040000000101";
    /// @dev Exactly what fits.
    bytes private constant LONGEST = hex"0101040000000002040000000100";

    function test_attack_outputsThatNoAnswerCanCarry() external {
        versionId = publish(QUORUM_AND_ATTESTED, TOO_LONG);
        AttestedRequest memory asked = request();
        vm.expectRevert(_refusal());
        vm.prank(requester);
        market.request(asked, input);
        assertState(market.idOf(asked), AttestedState.NONE);
        assertEq(market.balanceOf(requester), DEPOSIT, "no price is held");
    }

    function test_attack_aSignedRequest() external {
        versionId = publish(QUORUM_AND_ATTESTED, TOO_LONG);
        AttestedRequest memory asked = request();
        (bytes memory evidence, bytes memory signature) = (evidenceFor(asked), sign(asked));
        vm.expectRevert(_refusal());
        vm.prank(executor);
        market.fulfillSigned(asked, signature, 0, output, evidence);
    }

    function test_attack_theLongestThatFits() external {
        versionId = publish(QUORUM_AND_ATTESTED, LONGEST);
        output = new bytes(MAX_OUTPUT_LENGTH);
        AttestedRequest memory asked = request();
        uint256 requestId = open(asked);
        fulfill(asked);
        assertState(requestId, AttestedState.FINAL);
    }

    function _refusal() private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IRecordMarket.RecordMarket_UndeliverableOutput.selector, versionId, MAX_OUTPUT_LENGTH + 4, MAX_OUTPUT_LENGTH
        );
    }
}
