// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {IQuorumMarket} from "../../src/quorum/IQuorumMarket.sol";
import {IQuorumMembers} from "../../src/quorum/IQuorumMembers.sol";
import {
    Draw,
    MemberTerms,
    QuorumRequest,
    QuorumRound,
    QuorumState,
    RefundReason,
    SeatEnd
} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

contract QuorumDrawTest is QuorumNetwork {
    // --- what happens ---

    function test_theRoundSaysAllThatMembersNeed() external {
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        QuorumRound memory round = draw(asked, openedBlock);
        assertEq(round.requestId, market.idOf(asked), "id");
        assertEq(round.requester, requester, "requester");
        assertEq(round.versionId, versionId, "version");
        assertEq(round.runtimeClass, CLASS, "class");
        assertEq(round.inputDigest, keccak256(input), "input");
        assertEq(round.price, PRICE, "price");
        assertEq(round.threshold, 3, "threshold");
        assertEq(round.commitDeadline, block.timestamp + WINDOW, "time to commit");
        assertEq(round.revealDeadline, block.timestamp + 2 * WINDOW, "time to reveal");
        assertEq(round.members.length, 5, "members");
        assertState(round.requestId, QuorumState.DRAWN);
        for (uint256 i = 0; i < 5; ++i) {
            assertEq(memberOf(round.members[i]).openSeats, 1, "seated");
        }
    }

    function test_theSeedIsTheBlocksHashAndTheRequest() external {
        QuorumRequest memory asked = requestFor(3, 2);
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        bytes32 seed = keccak256(abi.encode(blockhash(openedBlock + SEED_DELAY), market.idOf(asked)));
        uint256 point = uint256(keccak256(abi.encode(seed, uint256(0)))) % (MEMBER_COUNT * STAKE);
        QuorumRound memory round = draw(asked, openedBlock);
        assertEq(round.members[0], accounts[point / STAKE], "equal stakes, by the first point");
    }

    function test_theWholePoolCanBeDrawn() external {
        QuorumRound memory round = drawn(requestFor(7, 4));
        for (uint256 i = 0; i < MEMBER_COUNT; ++i) {
            assertEq(memberOf(accounts[i]).openSeats, 1, "each once");
        }
        assertEq(round.members.length, 7, "all");
    }

    function test_moreThanThereAreIsRefunded() external {
        QuorumRequest memory asked = requestFor(8, 5);
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        vm.expectEmit(address(market));
        emit IQuorumMarket.QuorumRefunded(market.idOf(asked), requester, PRICE, 0, RefundReason.NOT_ENOUGH_MEMBERS);
        market.draw(asked, openedBlock);
        assertEq(market.balanceOf(requester), DEPOSIT, "refunded");
        for (uint256 i = 0; i < MEMBER_COUNT; ++i) {
            assertEq(memberOf(accounts[i]).openSeats, 0, "nobody sits");
        }
    }

    function test_whoAsksForMoreIsPassedOver() external {
        uint256 seatPrice = (PRICE - uint256(PRICE) * ROYALTY_BPS / 10_000) / 5;
        vm.prank(accounts[0]);
        pool.setTerms(versionId, CLASS, MemberTerms({capacity: 4, minPrice: uint72(seatPrice + 1), minSeconds: 0}));
        vm.prank(accounts[1]);
        pool.setTerms(versionId, CLASS, MemberTerms({capacity: 4, minPrice: 0, minSeconds: WINDOW_PLUS_ONE}));
        vm.prank(accounts[2]);
        pool.setTerms(
            versionId, CLASS, MemberTerms({capacity: 4, minPrice: uint72(seatPrice), minSeconds: uint24(WINDOW)})
        );
        QuorumRound memory round = drawn(request());
        assertEq(memberOf(accounts[0]).openSeats, 0, "too cheap for him");
        assertEq(memberOf(accounts[1]).openSeats, 0, "too quick for him");
        assertEq(memberOf(accounts[2]).openSeats, 1, "exactly enough");
        assertEq(round.members.length, 5, "the others");
    }

    function test_tooLittleIsLeftWhenTheFullAreTakenOff() external {
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(accounts[i]);
            pool.setTerms(versionId, CLASS, MemberTerms({capacity: 1, minPrice: 0, minSeconds: 0}));
        }
        drawn(requestFor(7, 4));
        QuorumRequest memory asked = requestFor(5, 3);
        asked.minEligible = uint128(5 * STAKE);
        drawn(asked);
        asked = requestFor(5, 3);
        asked.minEligible = uint128(7 * STAKE);
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        // Of seven, five must sit: at least one of the two is met unless the order has both last.
        uint256 requestId = market.idOf(asked);
        market.draw(asked, openedBlock);
        assertState(requestId, _meetsFull(asked, openedBlock) ? QuorumState.REFUNDED : QuorumState.DRAWN);
    }

    function test_whoLeftOrSleepsIsPassedOver() external {
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        vm.prank(accounts[0]);
        pool.unenroll(versionId, CLASS);
        vm.prank(accounts[1]);
        pool.sleep(versionId, CLASS);
        toSeed(openedBlock);
        draw(asked, openedBlock);
        assertEq(memberOf(accounts[0]).openSeats + memberOf(accounts[1]).openSeats, 0, "passed over");
    }

    function test_anybodyMayDraw() external {
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        vm.prank(stranger);
        market.draw(asked, openedBlock);
        assertState(market.idOf(asked), QuorumState.DRAWN);
    }

    // --- what is refused ---

    function test_refusesToDrawBeforeTheSeed() external {
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        for (uint256 i = 0; i <= SEED_DELAY; ++i) {
            vm.roll(openedBlock + i);
            vm.expectRevert(
                abi.encodeWithSelector(IQuorumMarket.QuorumMarket_SeedNotThere.selector, openedBlock + SEED_DELAY)
            );
            market.draw(asked, openedBlock);
        }
        vm.roll(openedBlock + SEED_DELAY + 1);
        market.draw(asked, openedBlock);
    }

    function test_refusesAnotherBlock() external {
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        vm.expectRevert(_otherRecord(market.idOf(asked), QuorumState.OPEN));
        market.draw(asked, openedBlock - 1);
    }

    function test_refusesToDrawTwiceOrAfterTheEnd() external {
        QuorumRequest memory asked = request();
        uint256 requestId = market.idOf(asked);
        vm.expectRevert(_otherRecord(requestId, QuorumState.NONE));
        market.draw(asked, uint64(block.number));

        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        QuorumRound memory round = draw(asked, openedBlock);
        vm.expectRevert(_otherRecord(requestId, QuorumState.DRAWN));
        market.draw(asked, openedBlock);
        vm.expectRevert(_otherRecord(requestId, QuorumState.DRAWN));
        market.refund(asked, openedBlock);

        pastCommits(round);
        market.settle(round, "");
        vm.expectRevert(_otherRecord(requestId, QuorumState.REFUNDED));
        market.draw(asked, openedBlock);
        vm.expectRevert(_otherRecord(requestId, QuorumState.REFUNDED));
        market.refund(asked, openedBlock);
    }

    function test_refusesToRefundWhileItCanBeDrawn() external {
        QuorumRequest memory asked = request();
        uint64 openedBlock = open(asked);
        uint256 seedBlock = openedBlock + SEED_DELAY;
        vm.roll(seedBlock + 256);
        vm.expectRevert(abi.encodeWithSelector(IQuorumMarket.QuorumMarket_SeedNotMissed.selector, seedBlock));
        market.refund(asked, openedBlock);
        market.draw(asked, openedBlock);
    }

    function test_onlyTheMarketDrawsAndEnds() external {
        Draw memory wanted;
        wanted.blockNumber = block.number - 1;
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IQuorumMembers.QuorumMembers_NotMarket.selector, stranger));
        pool.draw(versionId, CLASS, wanted);
        vm.expectRevert(abi.encodeWithSelector(IQuorumMembers.QuorumMembers_NotMarket.selector, stranger));
        pool.endSeats(versionId, CLASS, 1, new address[](0), new SeatEnd[](0), stranger, 0);
        vm.stopPrank();
        wanted.blockNumber = block.number;
        vm.expectRevert(abi.encodeWithSelector(IQuorumMembers.QuorumMembers_BlockNotOver.selector, block.number));
        vm.prank(address(market));
        pool.draw(versionId, CLASS, wanted);
    }

    uint24 internal constant WINDOW_PLUS_ONE = uint24(WINDOW) + 1;

    /// @dev Whether one of the first two accounts comes before five others have a seat. Equal stakes: the order is that
    /// of the points.
    function _meetsFull(QuorumRequest memory asked, uint64 openedBlock) private view returns (bool) {
        bytes32 seed = keccak256(abi.encode(blockhash(openedBlock + SEED_DELAY), market.idOf(asked)));
        bool[7] memory placed;
        for (uint256 place = 0; place < 5; ++place) {
            uint256 skipped = uint256(keccak256(abi.encode(seed, place))) % ((MEMBER_COUNT - place) * STAKE) / STAKE;
            uint256 index;
            for (; placed[index] || skipped != 0; ++index) {
                if (!placed[index]) --skipped;
            }
            placed[index] = true;
            if (index < 2) return true;
        }
        return false;
    }

    function _otherRecord(uint256 requestId, QuorumState state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IRecordMarket.RecordMarket_OtherRecord.selector, requestId, uint8(state), uint8(QuorumState.OPEN)
        );
    }
}
