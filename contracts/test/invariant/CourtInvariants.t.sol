// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {ReceiptCourt} from "../../src/ReceiptCourt.sol";
import {TestDollar} from "../../src/development/TestDollar.sol";
import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {Claim, ClaimState, Pool, PoolState, Receipt, SlotState} from "../../src/types/ReceiptTypes.sol";
import {Base} from "../Base.t.sol";
import {CourtHandler} from "./handlers/CourtHandler.sol";
import {CourtStage} from "./handlers/CourtStage.sol";

/// @title The court's invariants of README.md, by their numbers
contract CourtInvariants is Base {
    uint256 internal constant ACTORS = 3;
    /// @dev What the network has from the start and no action touches: two executors' stake, a deposit, a pool.
    uint256 internal constant BYSTANDING_STAKE = 1100e6;
    uint256 internal constant BYSTANDING_DEPOSIT = 1000e6;
    uint256 internal constant MAX_CHALLENGE_BOND = 8e6;

    CourtHandler internal handler;
    TestDollar internal token;
    ExecutorStaking internal staking;
    ReceiptCourt internal court;

    function setUp() public {
        _fresh();
        targetContract(address(handler));
        targetSelector(address(handler), handler.actions());
    }

    /// @notice Whom the invariants are about.
    function judge(CourtHandler handler_) public {
        handler = handler_;
        (address token_, address staking_, address court_) = handler.parts();
        (token, staking, court) = (TestDollar(token_), ExecutorStaking(staking_), ReceiptCourt(court_));
    }

    /// @notice C1, C2, C3: money.
    function invariant_C1_C2_C3_moneyIsWhole() external view {
        checkMoney();
        // What the staking contract owes, where nobody else slashes.
        uint256 stake = BYSTANDING_STAKE;
        for (uint256 i = 0; i < ACTORS; ++i) {
            (address e, address c, address client) = _actors(i);
            assertEq(staking.creditOf(c), handler.credits(c), "C3: challenger's rewards");
            assertEq(staking.creditOf(client), handler.credits(client), "C3: client's compensations");
            assertEq(staking.creditOf(e), 0, "C3: no executor is credited");
            stake += staking.totalStake(e) + staking.creditOf(c) + staking.creditOf(client);
        }
        assertEq(staking.pendingBurn(), handler.stakeToBurn(), "C3: stake to burn");
        assertEq(token.balanceOf(staking.BURN_ADDRESS()), handler.courtBurned() + handler.stakeBurned(), "C3: burned");
        assertEq(token.balanceOf(address(staking)), stake + staking.pendingBurn(), "C2: so does the staking contract");
    }

    /// @notice What the court holds and owes.
    function checkMoney() public view {
        uint256 balances = BYSTANDING_DEPOSIT;
        for (uint256 i = 0; i < ACTORS; ++i) {
            (address e, address c, address client) = _actors(i);
            assertEq(court.balanceOf(e), handler.balances(e), "C3: executor's balance");
            assertEq(court.balanceOf(c), handler.balances(c), "C3: challenger's balance");
            assertEq(court.balanceOf(client), 0, "C3: clients have none");
            assertEq(handler.credits(e), 0, "C3: no executor is credited");
            balances += court.balanceOf(e) + court.balanceOf(c);
        }
        assertEq(court.pendingBurn(), handler.courtToBurn(), "C3: bonds to burn");
        assertEq(
            token.balanceOf(address(court)),
            balances + handler.bondsHeld() + court.pendingBurn() + handler.donated(),
            "C1: the court holds what it owes, and donations"
        );
    }

    /// @notice C4, C5: stake behind pools.
    function invariant_C4_C5_poolsAreBacked() external view {
        checkPools();
        for (uint256 i = 0; i < ACTORS; ++i) {
            (address e,,) = _actors(i);
            assertEq(staking.freeStake(e), handler.free(e), "C5: free as the rules say");
        }
    }

    /// @notice What executors have locked here, and what for.
    function checkPools() public view {
        CourtStage.PoolModel[] memory models = handler.poolModels();
        for (uint256 i = 0; i < models.length; ++i) {
            CourtStage.PoolModel memory model = models[i];
            (address holder, uint256 amount) = staking.claim(address(court), bytes32(model.poolId));
            uint256 locked = handler.poolLocked(i);
            assertEq(amount, locked, "C4: every slot that is not slashed has its bond locked");
            assertEq(holder, locked == 0 ? address(0) : model.executor, "C4: by its executor");
            Pool memory shown = court.poolOf(model.executor, model.epoch);
            if (shown.poolId != model.poolId) {
                assertTrue(model.gone, "C4: only a pool that was taken back is forgotten");
                continue;
            }
            assertEq(uint256(shown.state), uint256(model.gone ? PoolState.RELEASED : PoolState.OPEN), "C4: state");
            assertEq(shown.locked, locked, "C4: shown");
            assertEq(shown.bond, model.bond, "C4: a bond never changes");
            assertEq(shown.capacity, model.capacity, "C4: nor shrinks a capacity");
            assertEq(shown.slashedSlots, model.slashed, "C4: slashed slots");
            assertEq(shown.openClaims, model.open, "C4: open claims");
            assertEq(shown.challengeBond, model.challengeBond, "C4: challenge bond");
            assertEq(shown.receiptKey, vm.addr(model.privateKey), "C4: its key never changes");
            assertEq(shown.reporter, model.reporter, "C4: forfeited by whom");
            _checkSlots(i, model);
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            (address e,,) = _actors(i);
            IExecutorStaking.Allocation memory held = staking.allocation(e, address(court));
            assertEq(held.locked, handler.lockedOf(e), "C5: locked is the sum of his pools");
            assertEq(held.allocated, handler.allocated(e), "C5: allocated as the rules say");
            assertEq(held.exiting, handler.exiting(e), "C5: exiting as the rules say");
            assertLe(held.locked, held.allocated, "C5: no unit backs two slots");
        }
    }

    /// @notice C6, C7: claims and queues.
    function invariant_C6_C7_claimsFollowTheirLife() external view {
        CourtStage.ClaimModel[] memory models = handler.claimModels();
        assertEq(court.claimCount(), models.length, "C6: nothing appears");
        for (uint256 i = 0; i < models.length; ++i) {
            CourtStage.ClaimModel memory model = models[i];
            Claim memory shown = court.claimOf(i + 1);
            assertEq(uint256(shown.state), uint256(model.state), "C6: no forbidden transition");
            assertEq(shown.challenger, model.challenger, "C6: whose it is");
            assertEq(shown.deadline, model.deadline, "C6: a deadline never changes");
            bool isFinal = model.state != ClaimState.COMMITTED && model.state != ClaimState.OPEN;
            assertEq(model.settlements, isFinal ? 1 : 0, "C6: final once");
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            (address e,,) = _actors(i);
            (uint256 open, uint64 lastDeadline, uint256 everOpened) = court.queueOf(e);
            (uint256 openModel, uint256 lastModel) = handler.queueModel(e);
            assertEq(open, openModel, "C7: open");
            assertEq(lastDeadline, lastModel, "C7: the last that is still open");
            assertEq(everOpened, handler.everOpened(e), "C7: ever opened");
        }
    }

    /// @notice C8: what a receipt is worth.
    function invariant_C8_flawsAreTheRules() external view {
        for (uint256 i = 0; i < handler.receiptCount(); ++i) {
            (Receipt memory receipt, bytes memory signature) = handler.receiptAt(i);
            assertEq(uint256(court.flawOf(receipt, signature)), uint256(handler.flawModel(i)), "C8: flaw");
        }
    }

    /// @notice C9: deterrence.
    function invariant_C9_atLeastHalfOfEveryBondBurns() external view {
        assertGe(handler.bondsBurned() * 2, handler.bondsSlashed(), "C9: at least half burns");
    }

    /// @notice C10: at the end of every run everybody gets out what is his, to the unit.
    function afterInvariant() external {
        endEverything();
        for (uint256 i = 0; i < ACTORS; ++i) {
            (address e,,) = _actors(i);
            assertEq(staking.totalStake(e), 0, "C10: no stake is left");
        }
        if (staking.pendingBurn() != 0) staking.burn();
        assertEq(token.balanceOf(address(staking)), BYSTANDING_STAKE, "C10: so is the staking contract");
    }

    /// @notice Ends every claim and every pool, and pays everybody out.
    function endEverything() public {
        vm.warp(block.timestamp + 400 days);
        vm.roll(block.number + 1);
        _finishClaims();
        CourtStage.PoolModel[] memory models = handler.poolModels();
        for (uint256 i = 0; i < models.length; ++i) {
            Pool memory shown = court.poolOf(models[i].executor, models[i].epoch);
            if (shown.poolId == models[i].poolId && shown.state == PoolState.OPEN) {
                court.releasePool(models[i].executor, models[i].epoch);
            }
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            (address e, address c, address client) = _actors(i);
            assertEq(staking.allocation(e, address(court)).locked, 0, "C10: nothing stays locked");
            _leave(e);
            _leave(c);
            _leave(client);
        }
        if (court.pendingBurn() != 0) court.burn();
        assertEq(token.balanceOf(address(court)), BYSTANDING_DEPOSIT + handler.donated(), "C10: the court is empty");
    }

    /// @notice The handlers reach every action and every outcome: a run that does nothing proves nothing.
    function test_theCourtHandlersReachEveryOutcome() external {
        bytes4[] memory selectors = handler.actions();
        for (uint256 round = 0; round < 4; ++round) {
            if (round != 0) _fresh();
            for (uint256 i = 0; i < 700; ++i) {
                bytes32 dice = keccak256(abi.encode("court dice", round, i));
                _call(selectors[uint256(dice) % selectors.length], dice);
            }
            _tally();
            this.invariant_C1_C2_C3_moneyIsWhole();
            this.invariant_C4_C5_poolsAreBacked();
            this.invariant_C6_C7_claimsFollowTheirLife();
            this.invariant_C8_flawsAreTheRules();
            this.invariant_C9_atLeastHalfOfEveryBondBurns();
            this.afterInvariant();
        }
        for (uint256 i = 0; i < OUTCOMES; ++i) {
            assertTrue(_reached[i] != 0, string.concat("never reached: ", _outcomes()[i]));
        }
    }

    uint256 private constant OUTCOMES = 31;
    uint256[OUTCOMES] private _reached;

    /// @dev A fresh network: the model keeps few receipts and claims, and one run ends when they are used up.
    function _fresh() private {
        CourtHandler own = new CourtHandler();
        own.setUp();
        judge(own);
    }

    function _tally() private {
        string[OUTCOMES] memory names = _outcomes();
        for (uint256 i = 0; i < OUTCOMES; ++i) {
            _reached[i] += handler.countOf(names[i]);
        }
    }

    function _outcomes() private pure returns (string[OUTCOMES] memory) {
        return [
            "passTime",
            "passAnEpoch",
            "passToADeadline",
            "open",
            "grow",
            "close",
            "release",
            "releaseForfeited",
            "rotateKey",
            "issue",
            "commit",
            "withdrawCommitment",
            "challenge",
            "challengeQueued",
            "respond",
            "respondToSeveral",
            "slash",
            "moot",
            "report",
            "deposit",
            "withdraw",
            "donate",
            "burnBonds",
            "burnStake",
            "withdrawCredit",
            "addStake",
            "requestExit",
            "completeExit",
            "refused",
            "refusedProof",
            "doubt"
        ];
    }

    /// @dev Booleans are arguments too, and only 0 and 1 decode.
    function _call(bytes4 selector, bytes32 dice) private {
        uint256 boolAt = type(uint256).max;
        if (selector == handler.passToADeadline.selector) boolAt = 1;
        if (selector == handler.doubt.selector) boolAt = 2;
        if (selector == handler.issue.selector) boolAt = 4;
        bytes memory data = abi.encodePacked(selector);
        for (uint256 j = 0; j < 5; ++j) {
            uint256 word = uint256(keccak256(abi.encode(dice, j)));
            data = bytes.concat(data, abi.encode(j == boolAt ? word & 1 : word));
        }
        (bool success, bytes memory result) = address(handler).call(data);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(result, 0x20), mload(result))
        }
    }

    function _actors(uint256 i) private view returns (address, address, address) {
        return (handler.executors(i), handler.challengers(i), handler.clients(i));
    }

    function _checkSlots(uint256 index, CourtStage.PoolModel memory model) private view {
        uint256 gone;
        for (uint32 slot = 0; slot < model.capacity; ++slot) {
            bool isGone = handler.slotIsGone(index, slot);
            SlotState shown = court.slotOf(model.executor, model.epoch, slot);
            assertTrue((shown == SlotState.SLASHED) == isGone, "C4: a slot's bond goes once");
            if (isGone) ++gone;
        }
        assertEq(gone, model.slashed, "C4: as many as were slashed");
        SlotState beyond = court.slotOf(model.executor, model.epoch, uint32(model.capacity));
        assertTrue(beyond == SlotState.WORTHLESS, "C4: beyond capacity");
    }

    function _finishClaims() private {
        for (uint256 id = 1; id <= court.claimCount(); ++id) {
            Claim memory shown = court.claimOf(id);
            if (shown.state == ClaimState.OPEN) court.slash(id);
            if (shown.state != ClaimState.COMMITTED) continue;
            vm.prank(shown.challenger);
            court.withdrawCommitment(id);
        }
    }

    function _leave(address account) private {
        uint256 balance = court.balanceOf(account);
        vm.startPrank(account);
        if (balance != 0) court.withdraw(balance, account);
        if (staking.creditOf(account) != 0) staking.withdrawCredit(account);
        IExecutorStaking.Allocation memory held = staking.allocation(account, address(court));
        if (held.allocated > held.exiting) {
            staking.requestExit(address(court), held.allocated - held.exiting);
            vm.warp(block.timestamp + staking.EXIT_DELAY());
        }
        if (held.allocated != 0) staking.completeExit(address(court));
        uint256 free = staking.freeStake(account);
        if (free != 0) staking.withdraw(free, account);
        vm.stopPrank();
    }
}
