// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {MemberTerms, QuorumRequest, QuorumRound, QuorumState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice Requests for next to nothing, or with no time to work: drafted members would run the model for free, or be
/// slashed for being slower than allowed.
contract QuorumUnderpaidWorkAttack is QuorumNetwork {
    uint72 internal constant ASKED = 1e6;
    uint24 internal constant NEEDED = 120;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < MEMBER_COUNT; ++i) {
            vm.prank(accounts[i]);
            pool.setTerms(versionId, CLASS, MemberTerms({capacity: 4, minPrice: ASKED, minSeconds: NEEDED}));
        }
    }

    function test_attack_forNothing() external {
        QuorumRequest memory asked = _asked(0, NEEDED);
        _assertNobodySits(asked);
    }

    function testFuzz_attack_forLessThanTheyAsk(uint128 price) external {
        price = uint128(bound(price, 0, 20e6));
        QuorumRequest memory asked = _asked(price, NEEDED);
        uint256 seatPrice = (price - uint256(price) * ROYALTY_BPS / 10_000) / 5;
        if (seatPrice < ASKED) return _assertNobodySits(asked);
        QuorumRound memory round = revealed(asked, 5);
        market.settle(round, output);
        for (uint256 seat = 0; seat < 5; ++seat) {
            assertGe(market.balanceOf(round.members[seat]), ASKED, "each gets what it asks, at least");
        }
    }

    function test_attack_withoutTime() external {
        _assertNobodySits(_asked(20e6, NEEDED - 1));
        drawn(_asked(20e6, NEEDED));
    }

    function _asked(uint128 price, uint32 window) private returns (QuorumRequest memory asked) {
        asked = request();
        (asked.price, asked.commitWindow) = (price, window);
    }

    function _assertNobodySits(QuorumRequest memory asked) private {
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        market.draw(asked, openedBlock);
        assertState(market.idOf(asked), QuorumState.REFUNDED);
        for (uint256 i = 0; i < MEMBER_COUNT; ++i) {
            assertEq(memberOf(accounts[i]).openSeats, 0, "nobody is drafted for that");
        }
    }
}
