// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {IQuorumMembers} from "../../src/quorum/IQuorumMembers.sol";
import {QuorumRequest, QuorumRound, QuorumState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice One account sits twice in a round, or votes with one seat for two; or a request is drawn again until the
/// members suit.
contract QuorumDrawnTwiceAttack is QuorumNetwork {
    /// @dev A whale with nearly all the stake has one seat, as everybody.
    function test_attack_aWhaleHasOneSeat() external {
        address whale = makeAddr("whale");
        backPool(whale, 100_000e6);
        enrollAs(whale, 100_000e6);
        nextBlock();
        for (uint256 i = 0; i < 4; ++i) {
            QuorumRound memory round = drawn(requestFor(5, 3));
            uint256 seats;
            for (uint256 seat = 0; seat < 5; ++seat) {
                if (round.members[seat] == whale) ++seats;
            }
            assertLe(seats, 1, "once at most");
            assertEq(memberOf(whale).openSeats, i + 1, "and nearly always once");
        }
    }

    function test_attack_noSecondEnrolment() external {
        vm.expectRevert(
            abi.encodeWithSelector(IQuorumMembers.QuorumMembers_AlreadyEnrolled.selector, versionId, CLASS, accounts[0])
        );
        enrollAs(accounts[0], MIN_STAKE);
    }

    /// @dev Leaving and coming back gives the same position, not a second one.
    function test_attack_noSecondPosition() external {
        vm.startPrank(accounts[0]);
        for (uint256 i = 0; i < 5; ++i) {
            pool.unenroll(versionId, CLASS);
            pool.enroll(versionId, CLASS, STAKE, terms());
        }
        vm.stopPrank();
        nextBlock();
        (uint256 stake, uint256 positions) = pool.eligibleStakeAt(versionId, CLASS, block.number - 1);
        assertEq(positions, MEMBER_COUNT, "positions");
        assertEq(stake, MEMBER_COUNT * STAKE, "stake");
    }

    function test_attack_noSecondDraw() external {
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        draw(asked, openedBlock);
        for (uint256 i = 0; i < 5; ++i) {
            vm.roll(block.number + 10);
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRecordMarket.RecordMarket_OtherRecord.selector,
                    market.idOf(asked),
                    uint8(QuorumState.DRAWN),
                    uint8(QuorumState.OPEN)
                )
            );
            market.draw(asked, openedBlock);
        }
    }

    /// @dev A draw whose outcome does not suit cannot be taken back: refunded ones are final, drawn ones go on.
    function test_attack_noNewDrawAfterTooFew() external {
        QuorumRequest memory asked = requestFor(9, 5);
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        market.draw(asked, openedBlock);
        assertState(market.idOf(asked), QuorumState.REFUNDED);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_OtherRecord.selector,
                market.idOf(asked),
                uint8(QuorumState.REFUNDED),
                uint8(QuorumState.OPEN)
            )
        );
        market.draw(asked, openedBlock);
        vm.expectRevert(abi.encodeWithSelector(IRecordMarket.RecordMarket_NonceUsed.selector, requester, asked.nonce));
        vm.prank(requester);
        market.request(asked, input);
    }
}
