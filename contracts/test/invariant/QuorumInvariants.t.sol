// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {TestDollar} from "../../src/development/TestDollar.sol";
import {QuorumMarket} from "../../src/quorum/QuorumMarket.sol";
import {QuorumMembers} from "../../src/quorum/QuorumMembers.sol";
import {Member, QuorumState, SeatState} from "../../src/quorum/QuorumTypes.sol";
import {Finality, Result} from "../../src/types/RecordTypes.sol";
import {Base} from "../Base.t.sol";
import {QuorumHandler} from "./handlers/QuorumHandler.sol";
import {QuorumStage} from "./handlers/QuorumStage.sol";

/// @title The invariants of markets by quorum of README.md, by their numbers
contract QuorumInvariants is Base {
    uint256 internal constant REQUESTERS = 3;
    uint256 internal constant SEAT_BOND = 5e6;
    uint256 internal constant OUTLIER_SLASH = 2e6;
    uint256 internal constant ALLOCATED = 300e6;

    uint256 private constant OUTCOMES = 26;

    QuorumHandler internal handler;
    TestDollar internal token;
    ExecutorStaking internal staking;
    QuorumMarket internal market;
    QuorumMembers internal pool;
    uint256[OUTCOMES] private _reached;

    function setUp() public {
        _fresh();
        targetContract(address(handler));
        targetSelector(address(handler), handler.actions());
    }

    /// @notice Whom the invariants are about.
    function judge(QuorumHandler handler_) public {
        handler = handler_;
        address token_;
        address staking_;
        (token_, staking_, market, pool) = handler.parts();
        (token, staking) = (TestDollar(token_), ExecutorStaking(staking_));
    }

    /// @notice Q1, Q2, Q3, Q9: money.
    function invariant_Q1_Q2_Q3_Q9_moneyIsWhole() external view {
        checkMoney();
        // What the staking contract owes, where nobody else slashes.
        uint256 stake;
        for (uint256 i = 0; i < REQUESTERS; ++i) {
            address account = handler.requesters(i);
            assertEq(staking.creditOf(account), handler.credits(account), "Q3: requester's compensations");
            stake += staking.creditOf(account);
        }
        for (uint256 i = 0; i < handler.accountCount(); ++i) {
            address account = handler.accountAt(i);
            assertEq(staking.creditOf(account), 0, "Q3: no member is credited by a slash");
            assertEq(staking.totalStake(account) + handler.slashedOf(account), ALLOCATED, "Q5: slashed is what is gone");
            stake += staking.totalStake(account);
        }
        assertEq(staking.pendingBurn(), handler.burnedTotal(), "Q3: what burns");
        assertEq(token.balanceOf(address(staking)), stake + staking.pendingBurn(), "Q2: so does the staking contract");
    }

    /// @notice What the market holds and owes.
    function checkMoney() public view {
        (,, uint256 modelId, address bystander) = handler.pin();
        uint256 owed = market.balanceOf(bystander) + market.royaltyOf(modelId);
        for (uint256 i = 0; i < REQUESTERS; ++i) {
            address account = handler.requesters(i);
            assertEq(market.balanceOf(account), handler.balances(account), "Q3: requester's balance");
            owed += market.balanceOf(account);
        }
        for (uint256 i = 0; i < handler.accountCount(); ++i) {
            address account = handler.accountAt(i);
            assertEq(market.balanceOf(account), handler.balances(account), "Q3: member's earnings");
            assertEq(handler.credits(account), 0, "Q3: no member is credited by a slash");
            owed += market.balanceOf(account);
        }
        assertEq(market.royaltyOf(modelId), handler.royalties(), "Q3: royalties");
        assertEq(
            token.balanceOf(address(market)),
            owed + handler.escrow() + handler.donated(),
            "Q1: the market holds what it owes, and donations"
        );
        assertEq(token.balanceOf(address(pool)), 0, "Q2: and the pool nothing");
        assertGe(handler.burnedTotal() * 2, handler.slashedTotal(), "Q9: at least half of every slash burns");
    }

    /// @notice Q4, Q8: requests, and what seats hold.
    function invariant_Q4_Q8_requestsFollowTheirLife() external view {
        for (uint256 i = 0; i < handler.requestCount(); ++i) {
            QuorumStage.RequestModel memory model = handler.requestAt(i);
            uint256 requestId = market.idOf(model.asked);
            assertEq(uint256(market.stateOf(requestId)), uint256(model.state), "Q4: no forbidden transition");
            Result memory result = market.resultOf(requestId);
            bool isFinal = model.state == QuorumState.FINAL;
            assertEq(result.outputDigest, model.finalDigest, "Q4: what is final never changes");
            assertEq(uint256(result.how), uint256(isFinal ? Finality.QUORUM : Finality.NONE), "Q4: how");
            assertEq(result.bond, model.agreed * OUTLIER_SLASH, "Q4: what answered for it");
            assertLe(model.settlements, 1, "Q4: settled once");
            if (isFinal) assertGe(model.agreed * 2, model.asked.members + 1, "Q4: a majority agreed");
            _checkSeats(i, model);
        }
    }

    /// @notice Q5, Q6: members and seats.
    function invariant_Q5_Q6_membersAreBacked() external view {
        (uint64 versionId, bytes32 class,,) = handler.pin();
        for (uint256 i = 0; i < handler.accountCount(); ++i) {
            address account = handler.accountAt(i);
            Member memory shown = pool.memberOf(versionId, class, account);
            QuorumStage.MemberModel memory model = handler.memberModel(account);
            assertEq(shown.stake, model.stake, "Q5: stake");
            assertEq(shown.capacity, model.capacity, "Q5: capacity");
            assertTrue(shown.isAwake == model.isAwake, "Q5: awake");
            assertEq(shown.openSeats, handler.seatsHeld(account), "Q6: a seat for each round that is not settled");
            assertEq(staking.allocation(account, address(pool)).locked, model.stake, "Q5: all of it is locked");
            assertGe(model.stake, shown.openSeats * SEAT_BOND, "Q5: a bond behind each seat");
            uint256 allocated = staking.allocation(account, address(pool)).allocated;
            assertEq(allocated + handler.slashedOf(account), ALLOCATED, "Q5: slashed is what is gone");
        }
    }

    /// @notice Q7: weights.
    function invariant_Q7_weightsAreStakesOfTheBlockBefore() external view {
        (uint64 versionId, bytes32 class,,) = handler.pin();
        uint256 sum;
        for (uint256 i = 0; i < handler.accountCount(); ++i) {
            address account = handler.accountAt(i);
            uint256 weight = pool.weightAt(versionId, class, account, block.number - 1);
            assertEq(weight, handler.weightBeforeOf(account), "Q7: weight");
            sum += weight;
        }
        (uint256 stake,) = pool.eligibleStakeAt(versionId, class, block.number - 1);
        assertEq(stake, sum, "Q7: the whole is the sum");
    }

    /// @notice Q10: at the end of every run everything ends, and everybody gets out what is his, to the unit.
    function afterInvariant() external {
        vm.roll(block.number + 100_000);
        vm.warp(block.timestamp + 400 days);
        (uint64 versionId, bytes32 class, uint256 modelId, address bystander) = handler.pin();
        for (uint256 i = 0; i < handler.requestCount(); ++i) {
            QuorumStage.RequestModel memory model = handler.requestAt(i);
            if (model.state == QuorumState.OPEN) market.refund(model.asked, model.openedBlock);
            if (model.state == QuorumState.DRAWN) handler.settle(i);
        }
        for (uint256 i = 0; i < REQUESTERS; ++i) {
            _leave(handler.requesters(i));
        }
        _leave(bystander);
        for (uint256 i = 0; i < handler.accountCount(); ++i) {
            address account = handler.accountAt(i);
            if (pool.memberOf(versionId, class, account).capacity != 0) {
                vm.prank(account);
                pool.unenroll(versionId, class);
            }
            assertEq(staking.allocation(account, address(pool)).locked, 0, "Q10: nothing stays locked");
            _leave(account);
        }
        uint256 left = market.royaltyOf(modelId) + handler.donated();
        assertEq(token.balanceOf(address(market)), left, "Q10: royalties and donations are left");
    }

    /// @notice The handlers reach every action and every outcome: a run that does nothing proves nothing.
    function test_theQuorumHandlerReachesEveryOutcome() external {
        bytes4[] memory selectors = handler.actions();
        for (uint256 round = 0; round < 4; ++round) {
            if (round != 0) _fresh();
            for (uint256 i = 0; i < 500; ++i) {
                bytes32 dice = keccak256(abi.encode("quorum dice", round, i));
                _call(selectors[uint256(dice) % selectors.length], dice);
            }
            string[OUTCOMES] memory names = _outcomes();
            for (uint256 i = 0; i < OUTCOMES; ++i) {
                _reached[i] += handler.countOf(names[i]);
            }
            this.invariant_Q1_Q2_Q3_Q9_moneyIsWhole();
            this.invariant_Q4_Q8_requestsFollowTheirLife();
            this.invariant_Q5_Q6_membersAreBacked();
            this.invariant_Q7_weightsAreStakesOfTheBlockBefore();
            this.afterInvariant();
        }
        for (uint256 i = 0; i < OUTCOMES; ++i) {
            assertTrue(_reached[i] != 0, string.concat("never reached: ", _outcomes()[i]));
        }
    }

    function _outcomes() private pure returns (string[OUTCOMES] memory) {
        return [
            "ask",
            "askSigned",
            "draw",
            "refundNotEnough",
            "refundMissed",
            "commit",
            "commitALie",
            "reveal",
            "reach",
            "fail",
            "slashOutlier",
            "slashSilent",
            "play",
            "enroll",
            "addStake",
            "setTerms",
            "sleep",
            "wake",
            "unenroll",
            "exitStake",
            "deposit",
            "withdraw",
            "donate",
            "passTime",
            "passAnAge",
            "refused"
        ];
    }

    function _fresh() private {
        QuorumHandler own = new QuorumHandler();
        own.setUp();
        judge(own);
    }

    /// @dev A boolean is an argument too, and only 0 and 1 decode.
    function _call(bytes4 selector, bytes32 dice) private {
        uint256 boolAt = selector == handler.ask.selector ? 3 : type(uint256).max;
        bytes memory data = abi.encodePacked(selector);
        for (uint256 j = 0; j < 4; ++j) {
            uint256 word = uint256(keccak256(abi.encode(dice, j)));
            data = bytes.concat(data, abi.encode(j == boolAt ? word & 1 : word));
        }
        (bool success, bytes memory result) = address(handler).call(data);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(result, 0x20), mload(result))
        }
    }

    function _checkSeats(uint256 index, QuorumStage.RequestModel memory model) private view {
        QuorumStage.SeatModel[] memory seats = handler.seatsOf(index);
        bool isOpen = model.state == QuorumState.DRAWN;
        for (uint256 seat = 0; seat < seats.length; ++seat) {
            (SeatState state,) = market.seatOf(model.round.requestId, seat);
            assertEq(uint256(state), isOpen ? uint256(seats[seat].state) : 0, "Q8: what was shown, until the end");
        }
    }

    function _leave(address account) private {
        uint256 balance = market.balanceOf(account);
        vm.startPrank(account);
        if (balance != 0) market.withdraw(balance, account);
        if (staking.creditOf(account) != 0) staking.withdrawCredit(account);
        vm.stopPrank();
    }
}
