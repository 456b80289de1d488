// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {QuorumActions} from "./QuorumActions.sol";
import {QuorumMemberActions} from "./QuorumMemberActions.sol";

/// @title Everybody at once, at a market by quorum
contract QuorumHandler is QuorumActions, QuorumMemberActions {
    /// @notice The functions that a run calls; the frequent ones are the steps of a round.
    function actions() external pure returns (bytes4[] memory selectors) {
        bytes4[30] memory all = [
            this.ask.selector,
            this.ask.selector,
            this.ask.selector,
            this.drawNext.selector,
            this.drawNext.selector,
            this.drawNext.selector,
            this.commit.selector,
            this.commit.selector,
            this.commit.selector,
            this.commit.selector,
            this.reveal.selector,
            this.reveal.selector,
            this.reveal.selector,
            this.settle.selector,
            this.settle.selector,
            this.refundMissed.selector,
            this.play.selector,
            this.play.selector,
            this.play.selector,
            this.enroll.selector,
            this.addStake.selector,
            this.setTerms.selector,
            this.sleep.selector,
            this.wake.selector,
            this.wake.selector,
            this.unenroll.selector,
            this.exitStake.selector,
            this.deposit.selector,
            this.withdraw.selector,
            this.donate.selector
        ];
        selectors = new bytes4[](34);
        for (uint256 i = 0; i < 30; ++i) {
            selectors[i] = all[i];
        }
        (selectors[30], selectors[31], selectors[32]) =
        (this.passTime.selector, this.passTime.selector, this.passTime.selector);
        selectors[33] = this.passAnAge.selector;
    }
}
