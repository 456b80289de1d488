// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ForbiddenActions} from "./ForbiddenActions.sol";
import {SignedActions} from "./SignedActions.sol";
import {StakingActions} from "./StakingActions.sol";

/// @title Everybody at once
contract NetworkHandler is SignedActions, StakingActions, ForbiddenActions {
    /// @notice The functions that a run calls; the frequent ones are the steps of a request's life.
    function actions() external pure returns (bytes4[] memory selectors) {
        bytes4[36] memory all = [
            this.request.selector,
            this.request.selector,
            this.request.selector,
            this.lock.selector,
            this.lock.selector,
            this.lock.selector,
            this.fulfill.selector,
            this.fulfill.selector,
            this.lockAndFulfill.selector,
            this.refund.selector,
            this.refund.selector,
            this.passTimeToAnEdge.selector,
            this.passTime.selector,
            this.cancel.selector,
            this.deposit.selector,
            this.withdraw.selector,
            this.withdrawRoyalty.selector,
            this.sellModel.selector,
            this.publish.selector,
            this.deprecate.selector,
            this.donate.selector,
            this.stake.selector,
            this.withdrawStake.selector,
            this.allocate.selector,
            this.requestExit.selector,
            this.cancelExit.selector,
            this.completeExit.selector,
            this.sideLock.selector,
            this.sideUnlock.selector,
            this.sideSlash.selector,
            this.withdrawCredit.selector,
            this.burn.selector,
            this.forbidATransition.selector,
            this.forbidAFulfilment.selector,
            this.forbidAnEscape.selector,
            this.forbidALock.selector
        ];
        selectors = new bytes4[](53);
        for (uint256 i = 0; i < 36; ++i) {
            selectors[i] = all[i];
        }
        selectors[36] = this.forbidATheft.selector;
        selectors[37] = this.fulfillBatch.selector;
        selectors[38] = this.fulfillBatch.selector;
        selectors[39] = this.forbidABatch.selector;
        selectors[40] = this.fillABatch.selector;
        selectors[41] = this.fillABatch.selector;
        selectors[42] = this.missALock.selector;
        selectors[43] = this.takeOver.selector;
        selectors[44] = this.takeOver.selector;
        selectors[45] = this.sign.selector;
        selectors[46] = this.sign.selector;
        selectors[47] = this.sign.selector;
        selectors[48] = this.lockSigned.selector;
        selectors[49] = this.lockSigned.selector;
        selectors[50] = this.lockManySigned.selector;
        selectors[51] = this.cancelNonces.selector;
        selectors[52] = this.forbidAForgery.selector;
    }
}
