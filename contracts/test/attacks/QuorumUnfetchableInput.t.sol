// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IQuorumMarket} from "../../src/quorum/IQuorumMarket.sol";
import {QuorumRequest, QuorumRound, QuorumState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";
import {Vm} from "../Vm.sol";

/// @notice Members are drafted and cannot decline: an input that nobody has, or that only some can fetch, or that the
/// model refuses, would have honest members slashed.
contract QuorumUnfetchableInputAttack is QuorumNetwork {
    function test_attack_anInputThatNobodyHas() external {
        QuorumRequest memory asked = request();
        asked.inputDigest = asked.inputBinding = keccak256("a secret");
        vm.expectRevert(IQuorumMarket.QuorumMarket_InputMissing.selector);
        vm.prank(requester);
        market.request(asked, "");

        bytes memory signature = signatureOf(requesterKey, market.idOf(asked));
        vm.expectRevert(IQuorumMarket.QuorumMarket_InputMissing.selector);
        market.requestSigned(asked, signature, "");
    }

    /// @dev The bytes are in the event of the request: whoever sees that there is one has them.
    function test_attack_theBytesAreOnChain() external {
        QuorumRequest memory asked = request();
        vm.recordLogs();
        open(asked);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IQuorumMarket.QuorumOpened.selector) continue;
            (,, bytes memory seen) = abi.decode(logs[i].data, (QuorumRequest, uint64, bytes));
            assertEq(seen, input, "the input itself");
            return;
        }
        assertTrue(false, "no event");
    }

    /// @dev What the model refuses has one answer, on which all agree: none. It is paid for, and costs nobody a bond.
    function test_attack_anInputThatTheModelRefuses() external {
        QuorumRequest memory asked = request();
        asked.inputDigest = asked.inputBinding = keccak256(hex"00");
        vm.prank(requester);
        market.request(asked, hex"00");
        uint64 openedBlock = uint64(block.number);
        toSeed(openedBlock);
        QuorumRound memory round = draw(asked, openedBlock);
        for (uint256 seat = 0; seat < 5; ++seat) {
            commitAs(round, seat, "");
        }
        for (uint256 seat = 0; seat < 5; ++seat) {
            revealAs(round, seat, "");
        }
        market.settle(round, "");
        assertState(round.requestId, QuorumState.FINAL);
        for (uint256 seat = 0; seat < 5; ++seat) {
            assertEq(memberOf(round.members[seat]).stake, STAKE, "nobody pays");
            assertTrue(market.balanceOf(round.members[seat]) != 0, "everybody is paid");
        }
    }
}
