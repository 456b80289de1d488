// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {TestDollar} from "../../src/development/TestDollar.sol";
import {DisputeCourt} from "../../src/lazy/DisputeCourt.sol";
import {LazyMarket} from "../../src/lazy/LazyMarket.sol";
import {LazyState} from "../../src/types/LazyTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {Finality, Result} from "../../src/types/RecordTypes.sol";
import {Base} from "../Base.t.sol";
import {LazyHandler} from "./handlers/LazyHandler.sol";
import {LazyStage} from "./handlers/LazyStage.sol";

/// @title The lazy market's invariants of README.md, by their numbers
contract LazyInvariants is Base {
    uint256 internal constant ACTORS = 3;
    /// @dev What the network has from the start and no action touches: a requester's and a challenger's deposit.
    uint256 internal constant BYSTANDING_DEPOSIT = 1000e6;

    LazyHandler internal handler;
    TestDollar internal token;
    ExecutorStaking internal staking;
    LazyMarket internal lazy;
    DisputeCourt internal court;

    function setUp() public {
        LazyHandler own = new LazyHandler();
        own.setUp();
        judge(own);
        targetContract(address(handler));
        targetSelector(address(handler), handler.actions());
    }

    /// @notice Whom the invariants are about.
    function judge(LazyHandler handler_) public {
        handler = handler_;
        (address token_, address staking_, address lazy_, address court_) = handler.parts();
        (token, staking) = (TestDollar(token_), ExecutorStaking(staking_));
        (lazy, court) = (LazyMarket(lazy_), DisputeCourt(court_));
    }

    /// @notice L1, L2, L3: money.
    function invariant_L1_L2_L3_moneyIsWhole() external view {
        checkMoney();
        // What the staking contract owes, where nobody else slashes.
        for (uint256 i = 0; i < ACTORS; ++i) {
            address[3] memory all = [handler.requesters(i), handler.executors(i), handler.challengers(i)];
            for (uint256 j = 0; j < 3; ++j) {
                assertEq(staking.creditOf(all[j]), handler.credits(all[j]), "L3: credit");
            }
        }
        assertEq(staking.pendingBurn(), handler.stakeToBurn(), "L3: stake to burn");
    }

    /// @notice What the market and its court hold and owe.
    function checkMoney() public view {
        uint256 balances = BYSTANDING_DEPOSIT;
        uint256 bonds = BYSTANDING_DEPOSIT;
        for (uint256 i = 0; i < ACTORS; ++i) {
            address[3] memory all = [handler.requesters(i), handler.executors(i), handler.challengers(i)];
            for (uint256 j = 0; j < 3; ++j) {
                assertEq(lazy.balanceOf(all[j]), handler.balances(all[j]), "L3: balance at the market");
                assertEq(court.balanceOf(all[j]), handler.courtBalances(all[j]), "L3: balance at the court");
                balances += lazy.balanceOf(all[j]);
                bonds += court.balanceOf(all[j]);
            }
        }
        assertEq(lazy.royaltyOf(handler.royaltyModel()), handler.royalties(), "L3: royalties");
        assertEq(court.pendingBurn(), handler.bondsToBurn(), "L3: bonds to burn");
        assertEq(
            token.balanceOf(address(lazy)),
            balances + handler.royalties() + handler.escrowModel() + handler.donated(),
            "L1: the market holds what it owes, and donations"
        );
        assertEq(
            token.balanceOf(address(court)),
            bonds + handler.bondModel() + handler.bondsToBurn() + handler.donated(),
            "L2: so does its court"
        );
        assertGe(2 * handler.stakeToBurn(), handler.slashedSum(), "L9: at least half burns");
    }

    /// @notice L5, L6: what stands behind answers, and the queues.
    function invariant_L5_L6_answersAreBacked() external view {
        for (uint256 i = 0; i < ACTORS; ++i) {
            address account = handler.executors(i);
            uint256 total = lazy.backingOf(account).total;
            assertEq(lazy.backingOf(account).used, handler.usedModel(account), "L5: used by what is unfinished");
            assertEq(total, handler.totals(account), "L5: the backing is what the rules say");
            assertLe(lazy.backingOf(account).used, total, "L5: no unit backs two answers");
            assertEq(staking.allocation(account, address(lazy)).locked, total, "L5: all of it is locked");
            assertLe(total, staking.allocation(account, address(lazy)).allocated, "L5: and allocated");
            (uint256 open, uint64 last) = court.queueOf(address(lazy), account);
            (uint256 openModel, uint256 lastModel) = handler.queueModel(account);
            assertEq(open, openModel, "L6: open");
            assertEq(last, lastModel, "L6: the last that is still open");
        }
    }

    /// @notice L4, L7, L8: lives of requests.
    function invariant_L4_L7_L8_requestsFollowTheirLife() external view {
        for (uint256 i = 0; i < handler.modelCount(); ++i) {
            LazyStage.Model memory model = handler.modelAt(i);
            uint256 requestId = lazy.idOf(model.request);
            assertEq(uint256(lazy.stateOf(requestId)), uint256(model.state), "L4: no forbidden transition");
            bool isOver =
                model.state == LazyState.FINAL || model.state == LazyState.SLASHED || model.state == LazyState.REFUNDED;
            assertEq(model.ends, isOver ? 1 : 0, "L8: pays or refunds, once");
            assertEq(abi.encode(court.disputeOf(address(lazy), requestId)), abi.encode(model.dispute), "L6: dispute");
            Result memory expected;
            if (model.state == LazyState.FINAL && model.isKept) {
                expected = Result({
                    versionId: model.request.versionId,
                    mode: TrustMode.LAZY_ZK,
                    how: model.how,
                    finalAt: model.finalAt,
                    bond: model.request.collateral,
                    outputDigest: model.claim.outputDigest
                });
            }
            assertEq(abi.encode(lazy.resultOf(requestId)), abi.encode(expected), "L7: the result, for good");
            assertTrue(model.how != Finality.PROVEN || !model.isLie, "L7: no lie is ever proven");
        }
    }

    /// @notice L10: from whatever state, everything ends and everybody is paid out.
    function afterInvariant() external {
        handler.endEverything();
        assertEq(
            token.balanceOf(address(lazy)), BYSTANDING_DEPOSIT + handler.donated(), "L10: nothing is left at the market"
        );
        assertEq(
            token.balanceOf(address(court)), BYSTANDING_DEPOSIT + handler.donated(), "L10: nothing is left at the court"
        );
    }

    /// @notice Runs that do nothing would prove nothing: from fixed dice, every outcome is reached.
    function test_theLazyHandlerReachesEveryOutcome() external {
        bytes4[] memory selectors = handler.actions();
        string[33] memory names = _outcomes();
        bool[33] memory reached;
        for (uint256 i = 0; i < 4000; ++i) {
            uint256 dice = uint256(keccak256(abi.encode("lazy", i)));
            bytes4 selector = selectors[dice % selectors.length];
            bool takesBool = selector == handler.finalize.selector || selector == handler.passToADeadline.selector;
            uint256 second = takesBool ? (dice >> 8) % 2 : dice >> 8;
            (bool success,) =
                address(handler).call(abi.encodePacked(selector, keccak256(abi.encode(dice)), second, (dice >> 16) % 2));
            assertTrue(success, "an action failed");
            // A stage has room for so many requests; then the play goes on at a fresh one.
            if (i % 500 != 499) continue;
            for (uint256 n = 0; n < names.length; ++n) {
                reached[n] = reached[n] || handler.countOf(names[n]) != 0;
            }
            handler.endEverything();
            handler = new LazyHandler();
            handler.setUp();
        }
        for (uint256 n = 0; n < names.length; ++n) {
            assertTrue(reached[n], string.concat("never: ", names[n]));
        }
    }

    function _outcomes() private pure returns (string[33] memory) {
        return [
            "send",
            "lock",
            "no lock",
            "lock and answer",
            "no lock and answer",
            "lock signed",
            "answer signed",
            "no the same again",
            "take over",
            "no take over",
            "answer",
            "no answer",
            "finalize",
            "no finalize",
            "finalize many",
            "no finalize many",
            "keep",
            "no keep",
            "a lie that nobody doubted",
            "commit",
            "withdraw a commitment",
            "challenge",
            "no challenge",
            "draw",
            "no draw",
            "a challenge in a queue",
            "prove",
            "no prove",
            "a failed challenge",
            "slash",
            "no slash",
            "refund a missed lock",
            "unback"
        ];
    }
}
