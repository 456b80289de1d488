// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Stage} from "./Stage.sol";

/// @title What executors and a second slasher do with stake
abstract contract StakingActions is Stage {
    function stake(uint256 who, uint256 amount) external {
        address account = executors[who % ACTORS];
        amount = bound(amount, 1, 100e6);
        token.mint(account, amount);
        vm.startPrank(account);
        token.approve(address(staking), amount);
        staking.stake(amount);
        vm.stopPrank();
        free[account] += amount;
        _count("stake");
    }

    function withdrawStake(uint256 who, uint256 amount) external {
        address account = executors[who % ACTORS];
        if (free[account] == 0) return;
        amount = bound(amount, 1, free[account]);
        vm.prank(account);
        staking.withdraw(amount, account);
        free[account] -= amount;
        _count("withdrawStake");
    }

    function allocate(uint256 who, uint256 which, uint256 amount) external {
        address account = executors[who % ACTORS];
        // Mostly to the market: that is where the work is.
        address slasher = slashers[which % 4 == 0 ? 1 : 0];
        if (free[account] == 0) return;
        amount = bound(amount, free[account] / 2 + 1, free[account]);
        vm.prank(account);
        staking.allocate(slasher, amount);
        free[account] -= amount;
        held[account][slasher].allocated += amount;
        _count("allocate");
    }

    function requestExit(uint256 who, uint256 which, uint256 amount) external {
        address account = executors[who % ACTORS];
        address slasher = slashers[which % 2];
        Held storage h = held[account][slasher];
        if (h.allocated == h.exiting) return;
        amount = bound(amount, 1, h.allocated - h.exiting);
        vm.prank(account);
        staking.requestExit(slasher, amount);
        h.exiting += amount;
        h.readyAt = block.timestamp + EXIT_DELAY;
        _count("requestExit");
    }

    function cancelExit(uint256 who, uint256 which) external {
        address account = executors[who % ACTORS];
        address slasher = slashers[which % 2];
        if (held[account][slasher].exiting == 0) return;
        vm.prank(account);
        staking.cancelExit(slasher);
        held[account][slasher].exiting = 0;
        _count("cancelExit");
    }

    function completeExit(uint256 who, uint256 which, bool wait) external {
        address account = executors[who % ACTORS];
        address slasher = slashers[which % 2];
        Held storage h = held[account][slasher];
        uint256 unlocked = _unlocked(account, slasher);
        uint256 leaves = h.exiting < unlocked ? h.exiting : unlocked;
        if (leaves == 0) return;
        if (block.timestamp < h.readyAt) {
            if (!wait) return;
            vm.warp(h.readyAt); // the first second that is enough
            vm.roll(block.number + 1);
        }
        vm.prank(account);
        assertEq(staking.completeExit(slasher), leaves, "as much as is unlocked");
        h.allocated -= leaves;
        h.exiting -= leaves;
        free[account] += leaves;
        _count("completeExit");
    }

    function sideLock(uint256 who, uint256 amount) external {
        address account = executors[who % ACTORS];
        uint256 unlocked = _unlocked(account, slashers[1]);
        if (unlocked == 0) return;
        amount = bound(amount, 1, unlocked);
        vm.prank(slashers[1]);
        staking.lock(account, bytes32(sideClaims.length), amount);
        sideClaims.push(SideClaim(account, amount));
        held[account][slashers[1]].locked += amount;
        lockedEver += amount;
        _count("sideLock");
    }

    function sideUnlock(uint256 seed) external {
        (uint256 index, SideClaim memory open) = _openSideClaim(seed);
        if (open.amount == 0) return;
        vm.prank(slashers[1]);
        staking.unlock(bytes32(index));
        held[open.executor][slashers[1]].locked -= open.amount;
        sideClaims[index].amount = 0;
        _count("sideUnlock");
    }

    function sideSlash(uint256 seed, uint256 who, uint256 compensation) external {
        (uint256 index, SideClaim memory open) = _openSideClaim(seed);
        if (open.amount == 0) return;
        compensation = bound(compensation, 0, open.amount / 2);
        address harmed = requesters[who % ACTORS];
        vm.prank(slashers[1]);
        staking.slash(bytes32(index), harmed, compensation);
        _modelSlash(open.executor, slashers[1], open.amount, harmed, compensation);
        sideClaims[index].amount = 0;
        _count("sideSlash");
    }

    function withdrawCredit(uint256 who) external {
        address account = who % 2 == 0 ? requesters[(who / 2) % ACTORS] : executors[(who / 2) % ACTORS];
        if (credits[account] == 0) return;
        vm.prank(account);
        assertEq(staking.withdrawCredit(account), credits[account], "the whole credit");
        credits[account] = 0;
        _count("withdrawCredit");
    }

    function burn() external {
        if (toBurn == 0) return;
        assertEq(staking.burn(), toBurn, "all that was slashed for burning");
        burned += toBurn;
        toBurn = 0;
        _count("burn");
    }

    function _openSideClaim(uint256 seed) private view returns (uint256 index, SideClaim memory open) {
        uint256 count = sideClaims.length;
        for (uint256 i = 0; i < count; ++i) {
            index = (seed % count + i) % count;
            if (sideClaims[index].amount != 0) return (index, sideClaims[index]);
        }
    }
}
