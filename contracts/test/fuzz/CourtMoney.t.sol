// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ReceiptCourt} from "../../src/ReceiptCourt.sol";
import {CourtLimits, Receipt} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice Splits and sums for any amounts and any splits that a court may be built with.
contract CourtMoneyFuzz is CourtNetwork {
    /// @dev What the test dollar mints at once.
    uint128 internal constant MOST = 1e12;

    function setUp() public override {
        super.setUp();
        // What a profile needs, allocated elsewhere: pools of any size can be tried.
        stakeFor(stranger, MIN_STAKE);
    }

    /// @dev Of a slashed bond: compensation at most the price, both together at most half, all of it accounted for.
    function testFuzz_aSlashBurnsAtLeastHalf(uint128 bond, uint128 price, uint16 rewardBps) external {
        bond = uint128(bound(bond, 1, MOST));
        rewardBps = uint16(bound(rewardBps, 0, 2500));
        price = uint128(bound(price, 0, uint256(bond) * 2));
        uint64 at = _court(rewardBps, 0, 1, 1);
        backCourt(stranger, bond, receiptKey);
        vm.prank(stranger);
        court.openPools(at, 1, bond, 1, 1);
        Receipt memory receipt = _lieOf(stranger, bond, price);
        depositAtCourt(challenger, 1);
        slashed(challenged(receipt));

        uint256 compensation = staking.creditOf(client);
        uint256 reward = staking.creditOf(challenger);
        uint256 burned = staking.pendingBurn();
        assertEq(compensation + reward + burned, bond, "to the unit");
        assertLe(compensation, price, "at most the price");
        assertEq(reward, uint256(bond) * rewardBps / 10_000, "the reward");
        assertGe(burned, bond / 2, "at least half burns");
        assertLe(compensation + reward, bond / 2, "at most half leaves");
        assertEq(staking.totalStake(stranger), MIN_STAKE, "the bond is gone");
        assertEq(court.balanceOf(challenger), 1, "the challenger's is not");
    }

    /// @dev Of a failed challenge: paid and burned make the bond, and at least a tenth burns.
    function testFuzz_aFailedChallengeIsSplit(uint128 most, uint128 asked, uint16 executorBps) external {
        most = uint128(bound(most, 1, MOST));
        asked = uint128(bound(asked, 1, most));
        executorBps = uint16(bound(executorBps, 0, 9000));
        uint64 at = _court(0, executorBps, 1, most);
        backCourt(stranger, 100e6, receiptKey);
        vm.prank(stranger);
        court.openPools(at, 1, BOND, 1, asked);
        depositAtCourt(challenger, most);
        Receipt memory receipt = honest(0);
        receipt.executor = stranger;
        respond(challenged(receipt));

        uint256 paid = court.balanceOf(stranger);
        assertEq(paid, uint256(asked) * executorBps / 10_000, "the executor's part");
        assertEq(paid + court.pendingBurn(), asked, "to the unit");
        assertGe(court.pendingBurn() * 10, asked, "at least a tenth burns");
        assertEq(court.balanceOf(challenger), most - asked, "the excess came back");
        assertEq(
            token.balanceOf(address(court)),
            court.balanceOf(stranger) + court.balanceOf(challenger) + court.pendingBurn(),
            "nothing else is there"
        );
    }

    /// @dev A forfeited pool: reward and burn make what was left, and at least half burns.
    function testFuzz_aForfeitedPoolIsSplit(uint128 bond, uint32 capacity, uint16 rewardBps) external {
        bond = uint128(bound(bond, 1, MOST / MAX_CAPACITY));
        capacity = uint32(bound(capacity, 1, MAX_CAPACITY));
        rewardBps = uint16(bound(rewardBps, 0, 2500));
        uint256 whole = uint256(bond) * capacity;
        uint64 at = _court(rewardBps, 0, 1, 1);
        backCourt(stranger, whole, receiptKey);
        vm.prank(stranger);
        court.openPools(at, 1, bond, capacity, 1);
        depositAtCourt(challenger, 1);
        Receipt memory first = _lieOf(stranger, bond, 0);
        Receipt memory second = _lieOf(stranger, bond, 1);
        reportBy(challenger, first, second);
        executor = stranger;
        outlive(at);
        court.releasePool(stranger, at);
        assertEq(staking.creditOf(challenger) + staking.pendingBurn(), whole, "to the unit");
        assertGe(staking.pendingBurn(), staking.creditOf(challenger), "at least half burns");
        assertEq(staking.totalStake(stranger), MIN_STAKE, "nothing returns");
    }

    /// @dev A pool locks exactly its bonds through growing and slashing, and releases what is left.
    function testFuzz_aPoolLocksItsBonds(uint32 capacity, uint32 more, uint8 lies, uint128 bond) external {
        capacity = uint32(bound(capacity, 1, 1000));
        more = uint32(bound(more, 1, 1000));
        lies = uint8(bound(lies, 0, capacity < 4 ? capacity : 4));
        bond = uint128(bound(bond, MIN_BOND, MOST / 2000));
        uint256 stake = uint256(bond) * (capacity + more);
        backCourt(stranger, stake, receiptKey);
        vm.prank(stranger);
        court.openPools(epoch, 1, bond, capacity, CHALLENGE_BOND);
        for (uint32 slot = 0; slot < lies; ++slot) {
            Receipt memory receipt = _lieOf(stranger, bond, 0);
            receipt.slot = slot;
            slashed(challenged(receipt));
        }
        assertEq(_lockedOf(stranger), uint256(bond) * (capacity - lies), "what is left");
        vm.prank(stranger);
        court.growPool(epoch, more);
        assertEq(_lockedOf(stranger), uint256(bond) * (capacity + more - lies), "and more");
        executor = stranger;
        outlive(epoch);
        court.releasePool(stranger, epoch);
        assertEq(_lockedOf(stranger), 0, "released");
        assertEq(staking.totalStake(stranger), MIN_STAKE + stake - uint256(bond) * lies, "lies cost their bonds");
    }

    function testFuzz_balancesAreDepositsLessWithdrawals(uint96 first, uint96 second, uint256 out) external {
        uint256 total = uint256(bound(first, 1, MOST)) + bound(second, 1, MOST);
        depositAtCourt(stranger, bound(first, 1, MOST));
        depositAtCourt(stranger, bound(second, 1, MOST));
        out = bound(out, 1, total);
        vm.prank(stranger);
        court.withdraw(out, client);
        assertEq(court.balanceOf(stranger), total - out, "the rest");
        assertEq(token.balanceOf(client), out, "paid");
    }

    /// @dev Whatever the deposit, a commitment takes its bond out of deposit and account together.
    function testFuzz_aCommitmentTakesDepositThenAccount(uint128 held) external {
        held = uint128(bound(held, 0, 2 * MAX_CHALLENGE_BOND));
        if (held != 0) depositAtCourt(stranger, held);
        token.mint(stranger, MAX_CHALLENGE_BOND);
        vm.startPrank(stranger);
        token.approve(address(court), MAX_CHALLENGE_BOND);
        court.commit(SALT);
        vm.stopPrank();
        uint256 fromDeposit = held < MAX_CHALLENGE_BOND ? held : MAX_CHALLENGE_BOND;
        assertEq(court.balanceOf(stranger), held - fromDeposit, "deposit first");
        assertEq(token.balanceOf(stranger), fromDeposit, "then the account");
    }

    function _court(uint16 rewardBps, uint16 executorBps, uint128 least, uint128 most) private returns (uint64 at) {
        CourtLimits memory limits = courtLimits();
        limits.minBond = 1;
        limits.rewardBps = rewardBps;
        limits.executorBps = executorBps;
        limits.minChallengeBond = least;
        limits.maxChallengeBond = most;
        court = new ReceiptCourt(address(verifier), address(staking), limits);
        return court.epochAt(uint64(block.timestamp));
    }

    function _lieOf(address account, uint128 bond, uint128 price) private view returns (Receipt memory receipt) {
        receipt = lie(0);
        receipt.executor = account;
        receipt.bond = bond;
        receipt.price = price;
    }

    function _lockedOf(address account) private view returns (uint256) {
        return staking.allocation(account, address(court)).locked;
    }
}
