// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {MemberTerms} from "../../../src/quorum/QuorumTypes.sol";
import {QuorumStage} from "./QuorumStage.sol";

/// @title Members come, go, sleep, wake, add stake; tokens move; time passes
abstract contract QuorumMemberActions is QuorumStage {
    function enroll(uint256 who, uint256 stake, uint256 capacity, uint256 price) external inThisBlock {
        address account = accounts[who % accounts.length];
        stake = bound(stake, MIN_STAKE, 150e6);
        MemberTerms memory asked = MemberTerms({
            capacity: uint16(bound(capacity, 1, 5)), minPrice: uint72(price % 4 == 0 ? 3e6 : 0), minSeconds: 0
        });
        bytes memory data = abi.encodeCall(pool.enroll, (versionId, CLASS, uint88(stake), asked));
        if (members[account].capacity != 0) return _refused(address(pool), account, data, "enrolled twice");
        if (stake > staking.available(account, address(pool))) {
            return _refused(address(pool), account, data, "stake that is not there");
        }
        _send(account, data);
        members[account] = MemberModel({
            stake: stake, openSeats: 0, capacity: asked.capacity, minPrice: asked.minPrice, isAwake: true
        });
        _count("enroll");
    }

    function addStake(uint256 who, uint256 amount) external inThisBlock {
        address account = accounts[who % accounts.length];
        amount = bound(amount, 1, 30e6);
        bytes memory data = abi.encodeCall(pool.addStake, (versionId, CLASS, uint88(amount)));
        bool allowed = members[account].capacity != 0 && amount <= staking.available(account, address(pool));
        if (!allowed) return _refused(address(pool), account, data, "stake added");
        _send(account, data);
        members[account].stake += amount;
        _count("addStake");
    }

    function setTerms(uint256 who, uint256 capacity, uint256 price) external inThisBlock {
        address account = accounts[who % accounts.length];
        MemberTerms memory asked = MemberTerms({
            capacity: uint16(bound(capacity, 1, 5)), minPrice: uint72(price % 4 == 0 ? 3e6 : 0), minSeconds: 0
        });
        bytes memory data = abi.encodeCall(pool.setTerms, (versionId, CLASS, asked));
        if (members[account].capacity == 0) return _refused(address(pool), account, data, "terms of nobody");
        _send(account, data);
        members[account].capacity = asked.capacity;
        members[account].minPrice = asked.minPrice;
        _count("setTerms");
    }

    function sleep(uint256 who) external inThisBlock {
        address account = accounts[who % accounts.length];
        bytes memory data = abi.encodeCall(pool.sleep, (versionId, CLASS));
        if (!members[account].isAwake) return _refused(address(pool), account, data, "put to sleep twice");
        _send(account, data);
        members[account].isAwake = false;
        _count("sleep");
    }

    function wake(uint256 who) external inThisBlock {
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[addmod(who, i, accounts.length)];
            MemberModel storage member = members[account];
            bool allowed = member.capacity != 0 && !member.isAwake && member.stake >= MIN_STAKE;
            bytes memory data = abi.encodeCall(pool.wake, (versionId, CLASS));
            if (!allowed) {
                _refused(address(pool), account, data, "woken");
                continue;
            }
            _send(account, data);
            member.isAwake = true;
            return _count("wake");
        }
    }

    function unenroll(uint256 who) external inThisBlock {
        address account = accounts[who % accounts.length];
        MemberModel storage member = members[account];
        bytes memory data = abi.encodeCall(pool.unenroll, (versionId, CLASS));
        if (member.capacity == 0 || member.openSeats != 0) {
            return _refused(address(pool), account, data, "left with open seats, or twice");
        }
        _send(account, data);
        delete members[account];
        _count("unenroll");
    }

    function exitStake(uint256 who, uint256 amount) external inThisBlock {
        address account = accounts[who % accounts.length];
        uint256 allocated = staking.allocation(account, address(pool)).allocated;
        uint256 staying = allocated - staking.allocation(account, address(pool)).exiting;
        if (staying == 0) return;
        vm.prank(account);
        staking.requestExit(address(pool), bound(amount, 1, staying));
        _roll(20_000, EXIT_DELAY);
        uint256 unlocked = staking.available(account, address(pool));
        uint256 before = staking.freeStake(account);
        vm.prank(account);
        (bool success,) = address(staking).call(abi.encodeCall(staking.completeExit, (address(pool))));
        assertTrue(success == (unlocked != 0), "what is not locked leaves, and nothing else");
        // Comes back, so that the run goes on.
        uint256 left = staking.freeStake(account) - before;
        vm.startPrank(account);
        if (left != 0) staking.allocate(address(pool), left);
        if (staking.allocation(account, address(pool)).exiting != 0) staking.cancelExit(address(pool));
        vm.stopPrank();
        _count("exitStake");
    }

    function deposit(uint256 who, uint256 amount) external inThisBlock {
        address account = requesters[who % REQUESTERS];
        amount = bound(amount, 1, 100e6);
        depositAt(address(market), account, amount);
        balances[account] += amount;
        _count("deposit");
    }

    function withdraw(uint256 who, uint256 amount) external inThisBlock {
        address account = who % 2 == 0 ? requesters[who / 2 % REQUESTERS] : accounts[who / 2 % accounts.length];
        if (balances[account] == 0) {
            bytes memory data = abi.encodeCall(market.withdraw, (1, account));
            return _refused(address(market), account, data, "from nothing");
        }
        amount = bound(amount, 1, balances[account]);
        vm.prank(account);
        market.withdraw(amount, account);
        balances[account] -= amount;
        _count("withdraw");
    }

    function donate(uint256 amount) external inThisBlock {
        amount = bound(amount, 1, 1e6);
        token.mint(address(market), amount);
        donated += amount;
        _count("donate");
    }

    function passTime(uint256 blocks_, uint256 seconds_) external inThisBlock {
        _roll(bound(blocks_, 1, 5), bound(seconds_, 1, WINDOW));
        _count("passTime");
    }

    function passAnAge(uint256 blocks_) external inThisBlock {
        _roll(bound(blocks_, 200, 400), 1 hours);
        _count("passAnAge");
    }

    function _send(address account, bytes memory data) private {
        vm.prank(account);
        (bool success,) = address(pool).call(data);
        assertTrue(success, "what a member may");
    }
}
