// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {QuorumRequest, QuorumRound, QuorumState, SeatState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice Bytes as weapons: outputs and inputs too long to handle, callbacks that return or burn everything.
contract QuorumOutputBombAttack is QuorumNetwork {
    function test_attack_anOutputThatIsTooLong() external {
        bytes memory bomb = new bytes(MAX_OUTPUT_LENGTH + 1);
        QuorumRound memory round = drawn(request());
        for (uint256 seat = 0; seat < 5; ++seat) {
            commitAs(round, seat, seat < 4 ? output : bomb);
        }
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_OutputTooLong.selector, MAX_OUTPUT_LENGTH + 1, MAX_OUTPUT_LENGTH
            )
        );
        revealAs(round, 4, bomb);
        for (uint256 seat = 0; seat < 4; ++seat) {
            revealAs(round, seat, output);
        }
        pastReveals(round);
        market.settle(round, output);
        assertEq(memberOf(round.members[4]).stake, STAKE - SEAT_BOND, "it could not reveal");
    }

    function test_attack_theLongestOutputWorks() external {
        bytes memory long = new bytes(MAX_OUTPUT_LENGTH);
        QuorumRound memory round = drawn(request());
        for (uint256 seat = 0; seat < 5; ++seat) {
            commitAs(round, seat, long);
        }
        for (uint256 seat = 0; seat < 5; ++seat) {
            revealAs(round, seat, long);
            assertSeat(round.requestId, seat, SeatState.REVEALED);
        }
        market.settle(round, long);
        assertState(round.requestId, QuorumState.FINAL);
    }

    function test_attack_anInputThatIsTooLong() external {
        bytes memory bomb = new bytes(MAX_INPUT_LENGTH + 1);
        QuorumRequest memory asked = request();
        asked.inputDigest = asked.inputBinding = keccak256(bomb);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_InputTooLong.selector, MAX_INPUT_LENGTH + 1, MAX_INPUT_LENGTH
            )
        );
        vm.prank(requester);
        market.request(asked, bomb);
    }

    /// @dev The requester's contract returns a bomb or burns its gas: members are paid, the result stands, the cost is
    /// bounded.
    function test_attack_callbacks() external {
        address[2] memory callbacks = [address(new Bomb()), address(new Burner())];
        for (uint256 i = 0; i < 2; ++i) {
            QuorumRequest memory asked = request();
            (asked.callback, asked.callbackGas) = (callbacks[i], 300_000);
            QuorumRound memory round = revealed(asked, 5);
            uint256 before = gasleft();
            market.settle(round, output);
            assertLe(before - gasleft(), 800_000, "bounded");
            assertState(round.requestId, QuorumState.FINAL);
            assertTrue(market.balanceOf(round.members[0]) != 0, "paid");
        }
    }

    /// @dev Too little gas for the callback that was promised: nothing happens, and it can be tried again.
    function test_attack_aStarvedCallback() external {
        QuorumRequest memory asked = request();
        (asked.callback, asked.callbackGas) = (address(new Burner()), 900_000);
        QuorumRound memory round = revealed(asked, 5);
        (bool success,) = address(market).call{gas: 900_000}(abi.encodeCall(market.settle, (round, output)));
        assertFalse(success, "not with less");
        assertState(round.requestId, QuorumState.DRAWN);
        market.settle(round, output);
        assertState(round.requestId, QuorumState.FINAL);
    }
}

contract Bomb {
    fallback() external {
        assembly ("memory-safe") {
            revert(0, 190000)
        }
    }
}

contract Burner {
    fallback() external {
        assembly ("memory-safe") {
            for {} 1 {} {}
        }
    }
}
