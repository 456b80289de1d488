// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {InferenceMarket} from "../../src/InferenceMarket.sol";
import {ModelRegistry} from "../../src/ModelRegistry.sol";
import {TestDollar} from "../../src/development/TestDollar.sol";
import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {Request, RequestState} from "../../src/types/MarketTypes.sol";
import {Base} from "../Base.t.sol";
import {NetworkHandler} from "./handlers/NetworkHandler.sol";
import {Stage} from "./handlers/Stage.sol";

/// @title The invariants of README.md, by their numbers
contract NetworkInvariants is Base {
    NetworkHandler internal handler;
    TestDollar internal token;
    ModelRegistry internal registry;
    ExecutorStaking internal staking;
    InferenceMarket internal market;

    function setUp() public {
        NetworkHandler own = new NetworkHandler();
        own.setUp();
        judge(own);
        targetContract(address(handler));
        targetSelector(address(handler), handler.actions());
    }

    /// @notice Whom the invariants are about.
    function judge(NetworkHandler handler_) public {
        handler = handler_;
        (address token_, address registry_, address staking_, address market_) = handler.network();
        token = TestDollar(token_);
        registry = ModelRegistry(registry_);
        staking = ExecutorStaking(staking_);
        market = InferenceMarket(market_);
    }

    /// @notice I1, I2, I3: money.
    function invariant_I1_I2_I3_moneyIsWhole() external view {
        checkMoney();
        // What the staking contract owes, where nobody else slashes.
        uint256 owed = _stakingMoney();
        uint256 stakingHolds = token.balanceOf(address(staking));
        assertGe(stakingHolds, owed, "I2: the staking contract covers what it owes");
        assertEq(stakingHolds, owed + handler.donatedToStaking(), "I2: and nothing is stranded");
        for (uint256 i = 0; i < 3; ++i) {
            (address requester, address executor) = (handler.requesters(i), handler.executors(i));
            assertEq(staking.creditOf(requester), handler.credits(requester), "I3: requester's credit");
            assertEq(staking.creditOf(executor), handler.credits(executor), "I3: executor's reward");
        }
        assertEq(staking.pendingBurn(), handler.toBurn(), "I3: to burn");
        assertEq(token.balanceOf(staking.BURN_ADDRESS()), handler.burned(), "I3: burned");
    }

    /// @notice What the market holds and owes.
    function checkMoney() public view {
        (uint256 escrow, uint256 balances, uint256 royalties) = _marketMoney();
        uint256 marketHolds = token.balanceOf(address(market));
        assertGe(marketHolds, escrow + balances + royalties, "I1: the market covers what it owes");
        assertEq(marketHolds, escrow + balances + royalties + handler.donatedToMarket(), "I1: and nothing is stranded");
        _checkAccounts();
    }

    /// @notice I4, I5, I6, I7: requests.
    function invariant_I4_I5_I6_I7_requestsFollowTheirLife() external view {
        for (uint256 n = 0; n < handler.requestCount(); ++n) {
            uint256 id = handler.ids(n);
            Stage.Expected memory model = handler.expectedOf(id);
            Request memory stored = market.requestOf(id);
            // The model moves along the allowed transitions only, and refuses every other one.
            assertEq(uint256(stored.state), uint256(model.state), "I6: no forbidden transition");
            bool isFinal = stored.state == RequestState.PAID || stored.state == RequestState.REFUNDED;
            assertEq(model.payouts, isFinal ? 1 : 0, "I4: paid xor refunded, once");
            bytes32 digest;
            if (model.state == RequestState.PAID) digest = handler.outputDigestOf(model.isKzg, model.caseIndex);
            assertEq(stored.outputDigest, digest, "I5: an output is paid, and is that of its own input");
            assertEq(stored.executor, model.executor, "I5: who locked it");
            assertEq(handler.keptHash(id), model.keptHash, "I7: what was asked never changes");
            if (model.state != RequestState.PAID) {
                assertEq(stored.lockDeadline, model.lockDeadline, "I5: until when");
                assertEq(stored.price, model.price, "I14: the most while it is open, then the first lock's price");
                assertEq(market.termsOf(id), model.terms, "I7: nor, until it is paid, what a lock agrees to");
            } else {
                assertEq(stored.price, model.rampLength != 0 ? model.price : 0, "I14: what a price that rose came to");
            }
            _checkRefundable(id, model);
        }
        assertEq(market.requestCount(), handler.sentCount(), "I6: nothing appears");
    }

    /// @notice I8, I9, I10: stake.
    function invariant_I8_I9_I10_stakeBacksItsClaims() external view {
        checkStake();
        for (uint256 e = 0; e < 3; ++e) {
            address executor = handler.executors(e);
            uint256 free = staking.freeStake(executor);
            assertEq(free, handler.free(executor), "I10: free as the rules say");
            uint256 allocated = staking.allocation(executor, handler.slashers(0)).allocated
                + staking.allocation(executor, handler.slashers(1)).allocated;
            assertEq(staking.totalStake(executor), free + allocated, "I10: total is the sum");
        }
    }

    /// @notice What executors have allocated and locked for the market and the second slasher.
    function checkStake() public view {
        assertLe(handler.slashedTotal(), handler.lockedEver(), "I8: no more slashed than was ever locked");
        for (uint256 e = 0; e < 3; ++e) {
            address executor = handler.executors(e);
            for (uint256 s = 0; s < 2; ++s) {
                address slasher = handler.slashers(s);
                IExecutorStaking.Allocation memory held = staking.allocation(executor, slasher);
                assertLe(held.locked, held.allocated, "I8: locked <= allocated");
                assertLe(held.exiting, held.allocated, "I8: exiting <= allocated");
                assertEq(held.locked, _openClaims(executor, s), "I9: every locked unit backs one open claim");
                (uint256 a, uint256 l, uint256 x, uint256 readyAt) = handler.held(executor, slasher);
                assertEq(held.allocated, a, "I10: allocated as the rules say");
                assertEq(held.locked, l, "I10: locked as the rules say");
                assertEq(held.exiting, x, "I10: exiting as the rules say");
                if (x != 0) assertEq(held.exitReadyAt, readyAt, "I10: and no earlier");
                assertEq(staking.available(executor, slasher), a - l, "I10: available");
            }
        }
    }

    /// @notice I11: versions.
    function invariant_I11_aVersionNeverChanges() external view {
        uint256 count = handler.versionCount();
        for (uint256 i = 0; i < count; ++i) {
            (uint64 versionId,,,, bytes32 fixedHash) = handler.versions(i);
            assertEq(handler.versionHash(versionId), fixedHash, "I11: a version never changes");
        }
        uint256 published = registry.versionCount(handler.models(0)) + registry.versionCount(handler.models(1));
        assertEq(published, count, "I11: none appears or disappears");
    }

    /// @notice I12: at the end of every run everybody gets out what is his, to the unit.
    function afterInvariant() external {
        endEverything();
        if (staking.pendingBurn() != 0) staking.burn();
        assertEq(
            token.balanceOf(address(staking)),
            handler.donatedToStaking() + _sideLocked(),
            "I12: the staking contract holds what open claims lock"
        );
    }

    /// @notice Refunds what is unfinished, and pays everybody out.
    function endEverything() public {
        vm.warp(block.timestamp + 30 days);
        vm.roll(block.number + 1);
        address anybody = makeAddr("anybody");
        for (uint256 n = 0; n < handler.requestCount(); ++n) {
            uint256 id = handler.ids(n);
            (, bool refundable) = market.statusOf(id);
            if (!refundable) continue;
            vm.prank(anybody);
            market.refund(id);
        }
        for (uint256 i = 0; i < 3; ++i) {
            _leave(handler.requesters(i));
            _leave(handler.executors(i));
        }
        for (uint256 m = 0; m < 2; ++m) {
            uint256 modelId = handler.models(m);
            if (market.royaltyOf(modelId) == 0) continue;
            address holder = registry.ownerOf(modelId);
            vm.prank(holder);
            market.withdrawRoyalty(modelId, holder);
        }
        assertEq(token.balanceOf(address(market)), handler.donatedToMarket(), "I12: the market is empty");
    }

    /// @notice The handlers reach every action and every outcome: a run that does nothing proves nothing.
    function test_theHandlersReachEveryOutcome() external {
        bytes4[] memory selectors = handler.actions();
        for (uint256 i = 0; i < 3000; ++i) {
            bytes32 dice = keccak256(abi.encode("dice", i));
            bytes memory arguments;
            for (uint256 j = 0; j < 6; ++j) {
                arguments = bytes.concat(arguments, keccak256(abi.encode(dice, j)));
            }
            bytes4 selector = selectors[uint256(dice) % selectors.length];
            (bool success, bytes memory result) =
                address(handler).call(bytes.concat(selector, _bools(selector, arguments)));
            if (!success) {
                assembly ("memory-safe") {
                    revert(add(result, 0x20), mload(result))
                }
            }
        }
        string[51] memory actions = [
            "deposit",
            "withdraw",
            "request",
            "cancel",
            "lock",
            "fulfill",
            "lockAndFulfill",
            "refundOpen",
            "refundLocked",
            "withdrawRoyalty",
            "sellModel",
            "publish",
            "deprecate",
            "passTime",
            "passTimeToAnEdge",
            "donate",
            "stake",
            "withdrawStake",
            "allocate",
            "requestExit",
            "cancelExit",
            "completeExit",
            "sideLock",
            "sideUnlock",
            "sideSlash",
            "withdrawCredit",
            "burn",
            "refused",
            "refusedStake",
            "refusedLock",
            "fillABatch",
            "fulfillBatch",
            "fulfillSeveral",
            "fulfillBatchSkipped",
            "fulfillBatchPadded",
            "refusedBatch",
            "lock",
            "change",
            "missALock",
            "takeOver",
            "takeOverAgain",
            "reward",
            "refundMissedTwice",
            "sign",
            "lockSigned",
            "refusedSigned",
            "lockSignedAndFulfill",
            "lockManySigned",
            "lockManySkipped",
            "cancelNonces",
            "forbidAForgery"
        ];
        for (uint256 i = 0; i < actions.length; ++i) {
            assertTrue(handler.countOf(actions[i]) != 0, string.concat("never reached: ", actions[i]));
        }
        this.invariant_I1_I2_I3_moneyIsWhole();
        this.invariant_I4_I5_I6_I7_requestsFollowTheirLife();
        this.invariant_I8_I9_I10_stakeBacksItsClaims();
        this.invariant_I11_aVersionNeverChanges();
        this.afterInvariant();
    }

    /// @dev Booleans are arguments too, and only 0 and 1 decode.
    function _bools(bytes4 selector, bytes memory arguments) private view returns (bytes memory) {
        uint256 at = type(uint256).max;
        if (selector == handler.publish.selector || selector == handler.completeExit.selector) at = 2;
        if (
            selector == handler.deprecate.selector || selector == handler.passTimeToAnEdge.selector
                || selector == handler.donate.selector
        ) at = 1;
        if (at != type(uint256).max) {
            assembly ("memory-safe") {
                let slot := add(add(arguments, 0x20), shl(5, at))
                mstore(slot, and(mload(slot), 1))
            }
        }
        return arguments;
    }

    function _leave(address account) private {
        uint256 balance = market.balanceOf(account);
        vm.startPrank(account);
        if (balance != 0) market.withdraw(balance, account);
        if (staking.creditOf(account) != 0) staking.withdrawCredit(account);
        vm.stopPrank();
        for (uint256 s = 0; s < 2; ++s) {
            address slasher = handler.slashers(s);
            IExecutorStaking.Allocation memory held = staking.allocation(account, slasher);
            uint256 staying = held.allocated - held.exiting;
            vm.startPrank(account);
            if (staying != 0) {
                staking.requestExit(slasher, staying);
                vm.warp(block.timestamp + staking.EXIT_DELAY());
            }
            if (held.allocated > held.locked) staking.completeExit(slasher);
            vm.stopPrank();
        }
        uint256 free = staking.freeStake(account);
        if (free == 0) return;
        vm.prank(account);
        staking.withdraw(free, account);
    }

    function _marketMoney() private view returns (uint256 escrow, uint256 balances, uint256 royalties) {
        for (uint256 n = 0; n < handler.requestCount(); ++n) {
            uint256 id = handler.ids(n);
            Request memory stored = market.requestOf(id);
            bool unfinished = stored.state == RequestState.OPEN || stored.state == RequestState.LOCKED;
            if (unfinished) escrow += stored.price;
        }
        for (uint256 i = 0; i < 3; ++i) {
            balances += market.balanceOf(handler.requesters(i)) + market.balanceOf(handler.executors(i));
        }
        royalties = market.royaltyOf(handler.models(0)) + market.royaltyOf(handler.models(1));
    }

    function _stakingMoney() private view returns (uint256 owed) {
        for (uint256 i = 0; i < 3; ++i) {
            owed += staking.totalStake(handler.executors(i)) + staking.creditOf(handler.executors(i));
            owed += staking.creditOf(handler.requesters(i));
        }
        owed += staking.pendingBurn();
    }

    /// @dev I3: account by account, as the rules say.
    function _checkAccounts() private view {
        for (uint256 i = 0; i < 3; ++i) {
            address requester = handler.requesters(i);
            address executor = handler.executors(i);
            assertEq(market.balanceOf(requester), handler.balances(requester), "I3: requester's balance");
            assertEq(market.nonceWord(requester, 0), handler.spentNonces(requester), "I15: each nonce once");
            assertEq(market.balanceOf(executor), handler.balances(executor), "I3: executor's balance");
        }
        for (uint256 m = 0; m < 2; ++m) {
            uint256 modelId = handler.models(m);
            assertEq(market.royaltyOf(modelId), handler.royalties(modelId), "I3: model's royalties");
        }
    }

    /// @dev I9 from the other side: an open claim has its executor's stake, in full.
    function _openClaims(address executor, uint256 slasherIndex) private view returns (uint256 locked) {
        if (slasherIndex == 1) {
            for (uint256 i = 0; i < handler.sideClaimCount(); ++i) {
                Stage.SideClaim memory open = handler.sideClaim(i);
                if (open.executor == executor) locked += open.amount;
            }
            return locked;
        }
        for (uint256 n = 0; n < handler.requestCount(); ++n) {
            uint256 id = handler.ids(n);
            Request memory stored = market.requestOf(id);
            Stage.Expected memory model = handler.expectedOf(id);
            bool isLocked = stored.state == RequestState.LOCKED;
            // Two claim ids take turns: that of the lock, and that of the lock which was missed before it.
            bytes32 other = bytes32(id) ^ bytes32(uint256(1 << 255));
            bytes32 present = model.second ? other : bytes32(id);
            locked += _claimOf(present, isLocked ? stored.executor : address(0), stored.collateral, executor);
            present = model.second ? bytes32(id) : other;
            locked += _claimOf(present, isLocked ? model.missed : address(0), stored.collateral, executor);
        }
    }

    /// @dev Checks a claim, and returns what it locks of `executor`'s.
    function _claimOf(bytes32 claimId, address holder, uint256 collateral, address executor)
        private
        view
        returns (uint256)
    {
        (address claimed, uint256 amount) = staking.claim(address(market), claimId);
        assertEq(claimed, holder, "I9: by its executor, or by the one before who missed it");
        assertEq(amount, holder == address(0) ? 0 : collateral, "I9: a locked request is backed in full");
        return claimed == executor ? amount : 0;
    }

    function _checkRefundable(uint256 id, Stage.Expected memory model) private view {
        (, bool refundable) = market.statusOf(id);
        bool expired = (model.state == RequestState.OPEN && block.timestamp > model.deadline)
            || (model.state == RequestState.LOCKED && block.timestamp > model.lockDeadline);
        assertTrue(refundable == expired, "I5: refundable exactly when expired");
    }

    function _sideLocked() private view returns (uint256 locked) {
        for (uint256 i = 0; i < handler.sideClaimCount(); ++i) {
            locked += handler.sideClaim(i).amount;
        }
    }
}
