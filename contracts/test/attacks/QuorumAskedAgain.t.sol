// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {QuorumRequest, QuorumRound} from "../../src/quorum/QuorumTypes.sol";
import {Result} from "../../src/types/RecordTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice Two of seven members ask the same again until both are drawn into a round of three, and make a lie final.
/// That cannot be stopped by a draw; it has a price, and the result's bond says how few agreed.
contract QuorumAskedAgainAttack is QuorumNetwork {
    uint256 private constant MOST_TRIES = 60;

    function test_attack_untilAMinorityIsTheMajority() external {
        uint256 before = _wealth();
        for (uint256 tries = 1; tries <= MOST_TRIES; ++tries) {
            QuorumRound memory round = drawn(requestFor(3, 2));
            bool isWon = _seatsOf(round) == 2;
            _answer(round, isWon);
            market.settle(round, isWon ? LIE : output);
            nextBlock();
            if (!isWon) continue;
            Result memory result = market.resultOf(round.requestId);
            assertEq(result.outputDigest, keccak256(LIE), "a lie is final");
            assertEq(result.bond, 2 * OUTLIER_SLASH, "its bond is that of two, and no reader of three is shown it");
            assertGe(before - _wealth(), (tries - 1) * PRICE / 3, "the honest were paid for each draw that he lost");
            return;
        }
        revert("one of seven draws is his");
    }

    /// @dev All of them are needed where all must agree: one honest member in each draw of three is enough.
    function test_attack_neverWhereAllMustAgree() external {
        for (uint256 tries = 0; tries < MOST_TRIES; ++tries) {
            QuorumRequest memory asked = requestFor(3, 3);
            QuorumRound memory round = drawn(asked);
            _answer(round, true);
            market.settle(round, _seatsOf(round) == 0 ? output : bytes(""));
            bytes32 digest = market.resultOf(round.requestId).outputDigest;
            assertTrue(digest == 0 || digest == keccak256(output), "no lie");
            nextBlock();
        }
    }

    function _answer(QuorumRound memory round, bool isLying) private {
        for (uint256 seat = 0; seat < 3; ++seat) {
            commitAs(round, seat, isLying && _isHis(round.members[seat]) ? LIE : output);
        }
        for (uint256 seat = 0; seat < 3; ++seat) {
            revealAs(round, seat, isLying && _isHis(round.members[seat]) ? LIE : output);
        }
    }

    function _isHis(address account) private view returns (bool) {
        return account == accounts[0] || account == accounts[1];
    }

    function _seatsOf(QuorumRound memory round) private view returns (uint256 seats) {
        for (uint256 seat = 0; seat < 3; ++seat) {
            if (_isHis(round.members[seat])) ++seats;
        }
    }

    /// @dev What the requester and the two have together.
    function _wealth() private view returns (uint256 sum) {
        sum = market.balanceOf(requester);
        for (uint256 i = 0; i < 2; ++i) {
            sum += staking.totalStake(accounts[i]) + market.balanceOf(accounts[i]);
        }
    }
}
