// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ClaimState} from "../../../src/types/ReceiptTypes.sol";
import {CourtStage} from "./CourtStage.sol";

/// @title How money comes to the court and leaves it, and what nobody may do
abstract contract CourtMoneyActions is CourtStage {
    function deposit(uint256 who, uint256 amount) external {
        address account = challengers[who % ACTORS];
        amount = bound(amount, 1, 100e6);
        depositAtCourt(account, amount);
        balances[account] += amount;
        _count("deposit");
    }

    function withdraw(uint256 who, uint256 amount) external {
        address account = who % 2 == 0 ? challengers[(who / 2) % ACTORS] : executors[(who / 2) % ACTORS];
        if (balances[account] == 0) return;
        amount = bound(amount, 1, balances[account]);
        vm.prank(account);
        court.withdraw(amount, account);
        balances[account] -= amount;
        _count("withdraw");
    }

    function donate(uint256 amount) external {
        amount = bound(amount, 1, 5e6);
        token.mint(address(court), amount);
        donated += amount;
        _count("donate");
    }

    function burnBonds() external {
        if (courtToBurn == 0) return _refused(stranger, abi.encodeCall(court.burn, ()), "nothing to burn");
        assertEq(court.burn(), courtToBurn, "all of it");
        courtBurned += courtToBurn;
        courtToBurn = 0;
        _count("burnBonds");
    }

    function burnStake() external {
        if (stakeToBurn == 0) return;
        assertEq(staking.burn(), stakeToBurn, "all of it");
        stakeBurned += stakeToBurn;
        stakeToBurn = 0;
        _count("burnStake");
    }

    function withdrawCredit(uint256 who) external {
        address account = who % 2 == 0 ? challengers[(who / 2) % ACTORS] : clients[(who / 2) % ACTORS];
        if (credits[account] == 0) return;
        vm.prank(account);
        assertEq(staking.withdrawCredit(account), credits[account], "all of it");
        credits[account] = 0;
        _count("withdrawCredit");
    }

    // --- stake ---

    function addStake(uint256 who, uint256 amount) external {
        address account = executors[who % ACTORS];
        amount = bound(amount, 1, 100e6);
        token.mint(account, amount);
        vm.startPrank(account);
        token.approve(address(staking), amount);
        staking.stake(amount);
        staking.allocate(address(court), amount);
        vm.stopPrank();
        allocated[account] += amount;
        _count("addStake");
    }

    function requestExit(uint256 who, uint256 amount) external {
        address account = executors[who % ACTORS];
        uint256 staying = allocated[account] - exiting[account];
        if (staying == 0) return;
        amount = bound(amount, 1, staying);
        vm.prank(account);
        staking.requestExit(address(court), amount);
        exiting[account] += amount;
        exitReadyAt[account] = block.timestamp + EXIT_DELAY;
        _count("requestExit");
    }

    /// @notice What no pool locks may leave when its time has come, and nothing else.
    function completeExit(uint256 who, uint256 patience) external {
        address account = executors[who % ACTORS];
        if (exiting[account] == 0) return;
        if (patience % 8 == 0 && block.timestamp < exitReadyAt[account]) {
            vm.warp(exitReadyAt[account]);
            vm.roll(block.number + 1);
        }
        uint256 unlocked = allocated[account] - lockedOf(account);
        uint256 leaving = exiting[account] < unlocked ? exiting[account] : unlocked;
        vm.prank(account);
        (bool success,) = address(staking).call(abi.encodeCall(staking.completeExit, (address(court))));
        assertTrue(success == (block.timestamp >= exitReadyAt[account] && leaving != 0), "what no pool locks");
        if (!success) return _count("refused");
        allocated[account] -= leaving;
        exiting[account] -= leaving;
        free[account] += leaving;
        _count("completeExit");
    }

    // --- forbidden ---

    /// @notice A claim that is final, or another's.
    function forbidAClaim(uint256 seed, uint256 kind) external {
        if (claims.length == 0) return;
        uint256 claimId = seed % claims.length + 1;
        ClaimModel storage model = claims[claimId - 1];
        if (kind % 3 == 0 && model.state != ClaimState.OPEN) {
            _refused(stranger, abi.encodeCall(court.slash, (claimId)), "slashed in another state");
        } else if (kind % 3 == 1 && model.state != ClaimState.COMMITTED) {
            _refused(model.challenger, abi.encodeCall(court.withdrawCommitment, (claimId)), "withdrawn after all");
        } else if (kind % 3 == 2 && model.state == ClaimState.COMMITTED) {
            _refused(stranger, abi.encodeCall(court.withdrawCommitment, (claimId)), "withdrawn by another");
        }
    }

    /// @notice A lie, with the proof of the truth.
    function forbidAProofOfALie(uint256 seed) external {
        uint256 claimId = _pick(seed, ClaimState.OPEN);
        if (claimId == 0) return;
        Issued storage held = issuedReceipts[claims[claimId - 1].receiptIndex];
        if (!held.isLie) return;
        Case memory proven = _caseOf(held.caseIndex);
        bytes memory input = held.caseIndex < 2 ? proven.input : bytes("");
        bytes memory data = abi.encodeCall(court.respond, (ids(claimId), 0, input, proven.output, proven.proof));
        _refused(executors[0], data, "a lie has no proof");
        _count("refusedProof");
    }

    function forbidATheft(uint256 who, uint256 kind) external {
        address account = challengers[who % ACTORS];
        if (kind % 2 == 0) {
            _refused(account, abi.encodeCall(court.withdraw, (balances[account] + 1, account)), "overdraft");
        } else if (pools.length != 0) {
            // The court's own claims at the staking contract are nobody else's.
            bytes32 id = bytes32(pools[who % pools.length].poolId);
            vm.prank(account);
            (bool success,) = address(staking).call(abi.encodeCall(staking.unlock, (id)));
            assertFalse(success, "unlocked by another");
            _count("refused");
        }
    }
}
