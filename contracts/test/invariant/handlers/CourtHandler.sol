// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CourtActions} from "./CourtActions.sol";
import {CourtMoneyActions} from "./CourtMoneyActions.sol";

/// @title Everybody at once, at the court
contract CourtHandler is CourtActions, CourtMoneyActions {
    /// @notice The functions that a run calls; the frequent ones are the steps of a claim's life.
    function actions() external pure returns (bytes4[] memory selectors) {
        bytes4[38] memory all = [
            this.open.selector,
            this.open.selector,
            this.issue.selector,
            this.issue.selector,
            this.issue.selector,
            this.issue.selector,
            this.commit.selector,
            this.commit.selector,
            this.commit.selector,
            this.challenge.selector,
            this.challenge.selector,
            this.challenge.selector,
            this.prove.selector,
            this.prove.selector,
            this.slash.selector,
            this.slash.selector,
            this.report.selector,
            this.passTime.selector,
            this.passAnEpoch.selector,
            this.passToADeadline.selector,
            this.passToADeadline.selector,
            this.grow.selector,
            this.close.selector,
            this.release.selector,
            this.release.selector,
            this.rotateKey.selector,
            this.withdrawCommitment.selector,
            this.deposit.selector,
            this.withdraw.selector,
            this.donate.selector,
            this.burnBonds.selector,
            this.burnStake.selector,
            this.withdrawCredit.selector,
            this.addStake.selector,
            this.requestExit.selector,
            this.completeExit.selector,
            this.forbidAClaim.selector,
            this.forbidAProofOfALie.selector
        ];
        selectors = new bytes4[](43);
        for (uint256 i = 0; i < 38; ++i) {
            selectors[i] = all[i];
        }
        selectors[38] = this.forbidATheft.selector;
        for (uint256 i = 39; i < 43; ++i) {
            selectors[i] = this.doubt.selector;
        }
    }
}
