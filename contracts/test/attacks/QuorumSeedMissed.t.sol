// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IQuorumMarket} from "../../src/quorum/IQuorumMarket.sol";
import {QuorumRequest, QuorumState, RefundReason} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice The seed is left alone until the chain forgets it: in the hope of another one, of a draw by the zero hash,
/// or to trap the price.
contract QuorumSeedMissedAttack is QuorumNetwork {
    QuorumRequest internal asked;
    uint64 internal openedBlock;
    uint256 internal seedBlock;

    function setUp() public override {
        super.setUp();
        asked = request();
        openedBlock = open(asked);
        seedBlock = openedBlock + SEED_DELAY;
    }

    function test_attack_noOtherSeed() external {
        for (uint256 later = 257; later < 2000; later += 249) {
            vm.roll(seedBlock + later);
            vm.expectRevert(abi.encodeWithSelector(IQuorumMarket.QuorumMarket_SeedMissed.selector, seedBlock));
            market.draw(asked, openedBlock);
        }
    }

    function test_attack_thePriceIsNotTrapped() external {
        vm.roll(seedBlock + 257);
        vm.expectEmit(address(market));
        emit IQuorumMarket.QuorumRefunded(market.idOf(asked), requester, PRICE, 0, RefundReason.SEED_MISSED);
        vm.prank(stranger);
        market.refund(asked, openedBlock);
        assertEq(market.balanceOf(requester), DEPOSIT, "back");
        assertState(market.idOf(asked), QuorumState.REFUNDED);
    }

    /// @dev In every block exactly one of draw and refund is possible.
    function testFuzz_attack_neverBothNeverNeither(uint256 later) external {
        later = bound(later, 1, 1000);
        vm.roll(seedBlock + later);
        uint256 id = vm.snapshotState();
        (bool drew,) = address(market).call(abi.encodeCall(market.draw, (asked, openedBlock)));
        vm.revertToState(id);
        (bool refunded,) = address(market).call(abi.encodeCall(market.refund, (asked, openedBlock)));
        assertTrue(drew != refunded, "one of both");
        assertTrue(drew == (later <= 256), "drawn while the seed is known");
    }

    /// @dev A claimed later opening would have a later seed.
    function test_attack_anotherOpening() external {
        vm.roll(seedBlock + 300);
        for (uint64 claimed = openedBlock + 1; claimed < openedBlock + 290; claimed += 17) {
            (bool drew,) = address(market).call(abi.encodeCall(market.draw, (asked, claimed)));
            assertFalse(drew, "not from another block");
        }
    }
}
