// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Receipt} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice An executor is his own client, challenger and reporter: bonds would leave without the exit queue, or at a
/// profit.
contract ReceiptSelfSlashAttack is CourtNetwork {
    address internal sybilClient;
    address internal sybilChallenger;

    function setUp() public override {
        super.setUp();
        sybilClient = makeAddr("sybil client");
        sybilChallenger = makeAddr("sybil challenger");
        depositAtCourt(sybilChallenger, 100 * MAX_CHALLENGE_BOND);
    }

    function testFuzz_attack_slashingOneselfLosesAtLeastHalf(uint128 price, uint8 slots, bool isOwnClient) external {
        slots = uint8(bound(slots, 1, 4));
        uint256 before = _wealth();
        for (uint32 slot = 0; slot < slots; ++slot) {
            Receipt memory receipt = lie(slot);
            receipt.price = price;
            receipt.beneficiary = isOwnClient ? sybilClient : sybilChallenger;
            slashed(challengedBy(sybilChallenger, receipt));
        }
        assertLe(_wealth(), before - uint256(slots) * BOND / 2, "at least half of each bond is gone");
    }

    function testFuzz_attack_reportingOneselfLosesAtLeastHalf(uint8 selfSlashed) external {
        selfSlashed = uint8(bound(selfSlashed, 0, 4));
        uint256 before = _wealth();
        reportBy(sybilChallenger, honest(0), lie(0));
        // He takes out by false lies what he can, before the rest is forfeited.
        for (uint32 slot = 0; slot < selfSlashed; ++slot) {
            Receipt memory receipt = lie(slot);
            receipt.price = BOND;
            receipt.beneficiary = sybilClient;
            slashed(challengedBy(sybilChallenger, receipt));
        }
        outlive(epoch);
        court.releasePool(executor, epoch);
        assertLe(_wealth(), before - uint256(BOND) * CAPACITY / 2, "at least half of the pool is gone");
    }

    function test_attack_challengingOneselfFalselyCosts() external {
        uint256 before = _wealth();
        respond(challengedBy(sybilChallenger, honest(0)));
        uint256 burned = CHALLENGE_BOND - uint256(CHALLENGE_BOND) * EXECUTOR_BPS / 10_000;
        assertEq(_wealth(), before - burned, "what burns");
        assertGe(burned * 10, CHALLENGE_BOND, "at least a tenth");
    }

    /// @dev A liar queues false challenges of his own in front of a victim's: the victim waits longer, the bond stays
    /// locked all the while, and every place in the queue costs the liar.
    function test_attack_hidingBehindOnesOwnChallenges() external {
        uint256 before = _wealth();
        uint256[] memory list = new uint256[](5);
        for (uint32 slot = 0; slot < 5; ++slot) {
            list[slot] = challengedBy(sybilChallenger, honest(slot + 1));
        }
        uint256 claimId = challenged(lie(0));
        respondBy(executor, list, packed, 0);
        assertLe(_wealth(), before - 5, "each cost something");
        slashed(claimId);
        assertEq(staking.creditOf(client), RECEIPT_PRICE, "the victim is compensated in the end");
        assertLe(_wealth(), before - BOND, "and the lie cost its bond");
    }

    /// @dev All that the executor and his sybils have, wherever it is.
    function _wealth() private view returns (uint256 sum) {
        sum = staking.totalStake(executor);
        address[3] memory accounts = [executor, sybilClient, sybilChallenger];
        for (uint256 i = 0; i < accounts.length; ++i) {
            sum += court.balanceOf(accounts[i]) + staking.creditOf(accounts[i]) + token.balanceOf(accounts[i]);
        }
    }
}
