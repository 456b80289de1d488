// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {QuorumRequest, QuorumRound, QuorumState, SeatState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice A publisher and a requester trap members: outputs of his version are longer than any reveal may be, so that
/// all who are drafted count as silent, and half of their bonds is the requester's.
contract QuorumUndeliverableOutputAttack is QuorumNetwork {
    /// @dev One float more than fits.
    bytes private constant TOO_LONG = hex"0101040000000002040000000101";
    /// @dev Exactly what fits.
    bytes private constant LONGEST = hex"0101040000000002040000000100";
    /// @dev Two tensors that fit, each by itself.
    bytes private constant TOO_LONG_TOGETHER = hex"0102040000000002040000000100010000000001";

    function test_attack_outputsThatNoRevealCanCarry() external {
        _refusedFor(TOO_LONG, MAX_OUTPUT_LENGTH + 4);
    }

    function test_attack_severalTensorsThatAreTooLongTogether() external {
        _refusedFor(TOO_LONG_TOGETHER, MAX_OUTPUT_LENGTH + 1);
    }

    /// @dev The signed way in is no other.
    function test_attack_aSignedRequest() external {
        versionId = publish(QUORUM_AND_ATTESTED, TOO_LONG);
        _enrollAll();
        QuorumRequest memory asked = request();
        bytes memory signature = signatureOf(requesterKey, market.idOf(asked));
        vm.expectRevert(_refusal(MAX_OUTPUT_LENGTH + 4));
        market.requestSigned(asked, signature, input);
    }

    /// @dev What just fits can be asked for, revealed and paid.
    function test_attack_theLongestThatFits() external {
        versionId = publish(QUORUM_AND_ATTESTED, LONGEST);
        _enrollAll();
        output = new bytes(MAX_OUTPUT_LENGTH);
        QuorumRound memory round = revealed(request(), 5);
        for (uint256 seat = 0; seat < 5; ++seat) {
            assertSeat(round.requestId, seat, SeatState.REVEALED);
        }
        market.settle(round, output);
        assertState(round.requestId, QuorumState.FINAL);
    }

    function _refusedFor(bytes memory schema, uint256 length) private {
        versionId = publish(QUORUM_AND_ATTESTED, schema);
        _enrollAll();
        QuorumRequest memory asked = request();
        vm.expectRevert(_refusal(length));
        vm.prank(requester);
        market.request(asked, input);
        assertState(market.idOf(asked), QuorumState.NONE);
        assertEq(market.balanceOf(requester), DEPOSIT, "no price is held");
    }

    function _enrollAll() private {
        for (uint256 i = 0; i < MEMBER_COUNT; ++i) {
            enrollAs(accounts[i], STAKE);
        }
        nextBlock();
    }

    function _refusal(uint256 length) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IRecordMarket.RecordMarket_UndeliverableOutput.selector, versionId, length, MAX_OUTPUT_LENGTH
        );
    }
}
