// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyState} from "../../../src/types/LazyTypes.sol";
import {LazyActions} from "./LazyActions.sol";

/// @title Everybody at once, at the lazy market: time, stake and money beside the steps of requests
contract LazyHandler is LazyActions {
    function passTime(uint256 seed) external {
        skip(seed % 2 == 0 ? 1 : bound(seed, 1, 15 minutes));
    }

    /// @notice To a deadline of some request, or just past it.
    function passToADeadline(uint256 seed, bool past) external {
        if (models.length == 0) return;
        Model memory model = models[seed % models.length];
        uint256 to = model.request.deadline;
        if (model.state == LazyState.LOCKED) to = model.made.lockDeadline;
        if (model.state == LazyState.ANSWERED) to = model.claim.challengeDeadline;
        if (model.state == LazyState.DISPUTED) to = model.dispute.deadline;
        if (past) ++to;
        if (to <= block.timestamp) return;
        vm.warp(to);
        vm.roll(block.number + 1);
        _count("a deadline");
    }

    function moveBacking(uint256 seed, uint256 who, bool more) external {
        address account = executors[who % ACTORS];
        uint256 amount = bound(seed, 1, 2 * uint256(COLLATERAL));
        if (more) {
            backLazy(account, amount);
            totals[account] += amount;
            _count("back");
            return;
        }
        bool may = amount <= _unused(account);
        vm.prank(account);
        (bool success,) = address(lazy).call(abi.encodeCall(lazy.unback, (amount)));
        assertEq(success ? 1 : 0, may ? 1 : 0, "L5: no stake leaves that is used");
        if (success) totals[account] -= amount;
        _count(success ? "unback" : "no unback");
    }

    /// @notice Whoever leaves gets at most what is not behind his answers.
    function leave(uint256 seed, uint256 who) external {
        // The delay ends most of what is open: not too often.
        if (seed % 4 != 0) return;
        address account = executors[who % ACTORS];
        uint256 before = staking.freeStake(account);
        vm.startPrank(account);
        (bool requested,) =
            address(staking).call(abi.encodeCall(staking.requestExit, (address(lazy), bound(seed, 1, LAZY_STAKE))));
        skip(EXIT_DELAY);
        (bool left,) = address(staking).call(abi.encodeCall(staking.completeExit, (address(lazy))));
        vm.stopPrank();
        freed[account] += staking.freeStake(account) - before;
        if (requested && left) _count("leave");
    }

    function moveMoney(uint256 seed, uint256 who, bool out) external {
        address account = requesters[who % ACTORS];
        uint256 amount = bound(seed, 1, PRICE);
        if (!out) {
            depositLazy(account, amount);
            balances[account] += amount;
            return;
        }
        bool may = amount <= balances[account];
        vm.prank(account);
        (bool success,) = address(lazy).call(abi.encodeCall(lazy.withdraw, (amount, account)));
        assertEq(success ? 1 : 0, may ? 1 : 0, "L3: withdrawn what is there");
        if (success) balances[account] -= amount;
        _count(success ? "withdraw" : "no withdraw");
    }

    function donate(uint256 seed) external {
        uint256 amount = bound(seed, 1, 100);
        token.mint(address(lazy), amount);
        token.mint(address(court), amount);
        donated += amount;
    }

    function burn() external {
        if (bondsToBurn == 0) return;
        court.burn();
        bondsBurned += bondsToBurn;
        bondsToBurn = 0;
        _count("burn");
    }

    /// @notice Ends everything from whatever state, and pays everybody out.
    function endEverything() external {
        vm.warp(block.timestamp + 365 days);
        vm.roll(block.number + 1);
        for (uint256 i = 0; i < models.length; ++i) {
            Model memory model = models[i];
            if (model.state == LazyState.OPEN) lazy.refund(model.request);
            if (model.state == LazyState.LOCKED) lazy.refundLocked(model.request, model.made);
            if (model.state == LazyState.ANSWERED) lazy.finalize(model.claim, "");
            if (model.state == LazyState.DISPUTED) court.slash(address(lazy), model.claim);
            for (uint256 c = 0; c < ACTORS; ++c) {
                if (committedIn[i][challengers[c]] == 0) continue;
                bytes32 commitment = court.commitmentOf(challengers[c], address(lazy), model.claim, SALT);
                vm.prank(challengers[c]);
                court.withdrawCommitment(commitment);
            }
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            _payOut(requesters[i]);
            _payOut(challengers[i]);
            _payOut(executors[i]);
            uint256 total = lazy.backingOf(executors[i]).total;
            assertEq(lazy.backingOf(executors[i]).used, 0, "L10: nothing is used any more");
            vm.prank(executors[i]);
            if (total != 0) lazy.unback(total);
            assertEq(staking.allocation(executors[i], address(lazy)).locked, 0, "L10: all stake is free");
        }
        if (court.pendingBurn() != 0) court.burn();
        uint256 royalty = lazy.royaltyOf(modelId);
        vm.prank(builder);
        if (royalty != 0) lazy.withdrawRoyalty(modelId, builder);
    }

    /// @notice The functions that a run calls; the frequent ones are the steps of a request's life.
    function actions() external pure returns (bytes4[] memory selectors) {
        bytes4[36] memory all = [
            this.passTime.selector,
            this.passTime.selector,
            this.make.selector,
            this.make.selector,
            this.make.selector,
            this.make.selector,
            this.lock.selector,
            this.lock.selector,
            this.lockAndAnswer.selector,
            this.takeOver.selector,
            this.takeOver.selector,
            this.answer.selector,
            this.answer.selector,
            this.answer.selector,
            this.finalize.selector,
            this.finalize.selector,
            this.keep.selector,
            this.commit.selector,
            this.commit.selector,
            this.commit.selector,
            this.challenge.selector,
            this.challenge.selector,
            this.challenge.selector,
            this.drawLot.selector,
            this.drawLot.selector,
            this.proveOne.selector,
            this.proveOne.selector,
            this.slashOne.selector,
            this.slashOne.selector,
            this.refund.selector,
            this.withdrawCommitment.selector,
            this.passTime.selector,
            this.passToADeadline.selector,
            this.passToADeadline.selector,
            this.moveBacking.selector,
            this.moveMoney.selector
        ];
        selectors = new bytes4[](39);
        for (uint256 i = 0; i < 36; ++i) {
            selectors[i] = all[i];
        }
        (selectors[36], selectors[37], selectors[38]) = (this.leave.selector, this.donate.selector, this.burn.selector);
    }

    function _payOut(address account) private {
        vm.startPrank(account);
        if (lazy.balanceOf(account) != 0) lazy.withdraw(lazy.balanceOf(account), account);
        if (court.balanceOf(account) != 0) court.withdraw(court.balanceOf(account), account);
        if (staking.creditOf(account) != 0) staking.withdrawCredit(account);
        vm.stopPrank();
    }
}
