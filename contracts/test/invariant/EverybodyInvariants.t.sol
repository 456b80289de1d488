// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedMarket} from "../../src/attested/AttestedMarket.sol";
import {QuorumMarket} from "../../src/quorum/QuorumMarket.sol";
import {QuorumMembers} from "../../src/quorum/QuorumMembers.sol";
import {ResultBoard} from "../../src/results/ResultBoard.sol";
import {Markets} from "../../src/results/ResultTypes.sol";
import {Base} from "../Base.t.sol";
import {AttestedInvariants} from "./AttestedInvariants.t.sol";
import {CourtInvariants} from "./CourtInvariants.t.sol";
import {LazyInvariants} from "./LazyInvariants.t.sol";
import {NetworkInvariants} from "./NetworkInvariants.t.sol";
import {QuorumInvariants} from "./QuorumInvariants.t.sol";
import {CommonActions} from "./handlers/CommonActions.sol";
import {AttestedGuest, CourtGuest, Ground, HostHandler, LazyGuest, QuorumGuest} from "./handlers/Guests.sol";

/// @notice What every handler says of itself.
interface IHandler {
    function actions() external view returns (bytes4[] memory);
    function countOf(string calldata name) external view returns (uint256);
}

/// @title Everybody at once, over all markets of one deployment
/// @notice The handlers of the other suites act side by side, on one token, one registry and one staking contract, as
/// the same people; their suites judge each market, whoever acted. What no market has for itself is checked here.
contract EverybodyInvariants is Base {
    uint256 private constant SLASHERS = 5;
    /// @dev What is played before a run, so that it begins in the middle of everything; and in a long play.
    uint256 private constant OPENING = 300;
    uint256 private constant PLAY = 900;
    uint256 private constant ROUNDS = 3;
    uint256 private constant FEWEST_STEPS = 4;

    HostHandler internal host;
    LazyGuest internal lazy;
    CourtGuest internal court;
    QuorumGuest internal quorum;
    AttestedGuest internal attested;
    CommonActions internal common;
    ResultBoard internal board;
    Ground internal ground;

    NetworkInvariants internal hostJudge = new NetworkInvariants();
    LazyInvariants internal lazyJudge = new LazyInvariants();
    CourtInvariants internal courtJudge = new CourtInvariants();
    QuorumInvariants internal quorumJudge = new QuorumInvariants();
    AttestedInvariants internal attestedJudge = new AttestedInvariants();

    /// @dev Every account that can have stake, credits or tokens; every contract that can hold tokens for others.
    address[] internal accounts;
    address[SLASHERS] internal slashers;
    address[] internal vaults;
    address[] internal handlers;
    uint256 private _openingSteps;
    uint256[8][6] private _reached;

    function setUp() public {
        _fresh();
        for (uint256 i = 0; i < handlers.length; ++i) {
            targetContract(handlers[i]);
            targetSelector(handlers[i], actionsOf(i));
        }
        _play("opening", OPENING);
        _openingSteps = _stepsOf();
    }

    /// @notice E1 to E4: money and stake, after whatever anybody did anywhere.
    function invariant_E1_E2_E3_E4_everybodysMoneyIsWhole() external view {
        checkTokens();
        checkStake();
        hostJudge.checkMoney();
        lazyJudge.checkMoney();
        lazyJudge.invariant_L5_L6_answersAreBacked();
        courtJudge.checkMoney();
        courtJudge.invariant_C9_atLeastHalfOfEveryBondBurns();
        quorumJudge.checkMoney();
        quorumJudge.invariant_Q7_weightsAreStakesOfTheBlockBefore();
        attestedJudge.invariant_A1_A2_A3_paidOnceOrRefunded();
    }

    /// @notice E1: every unit of the token is where it should be.
    function checkTokens() public view {
        uint256 sum = ground.token.balanceOf(ground.staking.BURN_ADDRESS());
        assertEq(sum, _burned(), "E1: burned is what was slashed or lost for burning");
        for (uint256 i = 0; i < accounts.length; ++i) {
            sum += ground.token.balanceOf(accounts[i]);
        }
        for (uint256 i = 0; i < vaults.length; ++i) {
            sum += ground.token.balanceOf(vaults[i]);
        }
        assertEq(sum, ground.token.totalSupply(), "E1: no unit is anywhere else");
    }

    /// @notice E2, E3: one stake behind the claims of all slashers.
    function checkStake() public view {
        uint256 owed = ground.staking.pendingBurn();
        assertEq(owed, common.burnModel(), "E2: waits to burn what all markets slashed");
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            uint256 credit = ground.staking.creditOf(account);
            assertEq(credit, common.creditModel(account), "E2: a credit is what slashes of all markets left");
            uint256 allocated;
            uint256 locked;
            for (uint256 s = 0; s < SLASHERS; ++s) {
                allocated += ground.staking.allocation(account, slashers[s]).allocated;
                locked += ground.staking.allocation(account, slashers[s]).locked;
            }
            uint256 stake = ground.staking.totalStake(account);
            assertLe(locked, allocated, "E3: all claims together lock no more than is allocated");
            assertLe(allocated, stake, "E3: and that is no more than the stake");
            uint256 free = host.free(account) + lazy.freed(account) + court.free(account);
            assertEq(ground.staking.freeStake(account), free, "E3: free is what left all slashers");
            assertEq(stake, free + allocated, "E3: no unit backs two slashers' claims");
            owed += stake + credit;
        }
        uint256 holds = ground.token.balanceOf(address(ground.staking));
        assertEq(holds, owed + host.donatedToStaking(), "E2: the staking contract holds what it owes, and donations");
    }

    /// @notice E5, E6: what became of every request, pool, claim, round and result, and what backs them. Whatever is
    /// wrong here stays wrong, so it is looked at once in a run, at its end.
    function checkLives() public view {
        hostJudge.checkStake();
        hostJudge.invariant_I4_I5_I6_I7_requestsFollowTheirLife();
        hostJudge.invariant_I11_aVersionNeverChanges();
        lazyJudge.invariant_L4_L7_L8_requestsFollowTheirLife();
        courtJudge.checkPools();
        courtJudge.invariant_C6_C7_claimsFollowTheirLife();
        courtJudge.invariant_C8_flawsAreTheRules();
        quorumJudge.invariant_Q4_Q8_requestsFollowTheirLife();
        quorumJudge.invariant_Q5_Q6_membersAreBacked();
        common.model().check();
    }

    /// @notice E7: at the end of every run each market ends by itself, and nobody is short of anything. And the run was
    /// about something: beyond what was played before it, steps happened.
    function afterInvariant() external {
        assertGe(_stepsOf(), _openingSteps + FEWEST_STEPS, "E8: a run that does nothing proves nothing");
        checkLives();
        endEverything();
    }

    function endEverything() public {
        hostJudge.endEverything();
        lazyJudge.afterInvariant();
        courtJudge.endEverything();
        quorumJudge.afterInvariant();
        attestedJudge.afterInvariant();
        if (ground.staking.pendingBurn() != 0) ground.staking.burn();
        uint256 owed;
        uint256 sum = ground.token.balanceOf(ground.staking.BURN_ADDRESS());
        for (uint256 i = 0; i < accounts.length; ++i) {
            assertEq(ground.staking.creditOf(accounts[i]), 0, "E7: nobody's credit is left");
            for (uint256 s = 0; s < SLASHERS; ++s) {
                if (s == 1) continue; // no market: what the second slasher locked, only he can unlock
                bool isBystander = accounts[i] == makeAddr("executor");
                uint256 locked = ground.staking.allocation(accounts[i], slashers[s]).locked;
                if (!isBystander) assertEq(locked, 0, "E7: no stake is left locked");
            }
            owed += ground.staking.totalStake(accounts[i]);
            sum += ground.token.balanceOf(accounts[i]);
        }
        uint256 holds = ground.token.balanceOf(address(ground.staking));
        assertEq(holds, owed + host.donatedToStaking(), "E7: stake, and donations");
        for (uint256 i = 0; i < vaults.length; ++i) {
            sum += ground.token.balanceOf(vaults[i]);
        }
        assertEq(sum, ground.token.totalSupply(), "E1: no unit is anywhere else");
    }

    /// @notice E8: in long plays from fixed dice every step that matters happens, at every market; and whatever state
    /// they are in after that, everything ends.
    function test_everybodyReachesEveryStep() external {
        for (uint256 round = 0; round < ROUNDS && bytes(_missing()).length != 0; ++round) {
            this.playAndEnd(round);
        }
        assertEq(_missing(), "", "E8: never happened");
    }

    /// @dev A frame of its own, as for each action: memory does not grow with the play.
    function playAndEnd(uint256 round) external {
        _fresh();
        _play(string.concat("play ", vm.toString(round)), PLAY);
        _tally();
        this.invariant_E1_E2_E3_E4_everybodysMoneyIsWhole();
        checkLives();
        endEverything();
    }

    /// @notice What a run calls on a handler: all its actions, but those on money that several markets share.
    function actionsOf(uint256 index) public view returns (bytes4[] memory selectors) {
        bytes4[] memory all = IHandler(handlers[index]).actions();
        selectors = new bytes4[](all.length);
        uint256 count;
        for (uint256 i = 0; i < all.length; ++i) {
            bool isShared = handlers[index] != address(common)
                && (all[i] == host.withdrawCredit.selector
                    || all[i] == court.burnStake.selector
                    || handlers[index] == address(host)
                    && all[i] == host.burn.selector);
            if (!isShared) selectors[count++] = all[i];
        }
        assembly ("memory-safe") {
            mstore(selectors, count)
        }
    }

    // --- the deployment ---

    function _fresh() private {
        delete accounts;
        delete vaults;
        delete handlers;
        host = new HostHandler();
        host.setUp();
        ground = host.ground();
        lazy = new LazyGuest(ground);
        court = new CourtGuest(ground);
        quorum = new QuorumGuest(ground);
        attested = new AttestedGuest(ground);
        lazy.setUp();
        court.setUp();
        quorum.setUp();
        attested.setUp();
        _places();
        _people();
        common = new CommonActions(host, lazy, court, quorum, attested, board, accounts);
        handlers = [address(host), address(lazy), address(court), address(quorum), address(attested), address(common)];
        hostJudge.judge(host);
        lazyJudge.judge(lazy);
        courtJudge.judge(court);
        quorumJudge.judge(quorum);
        attestedJudge.judge(attested);
    }

    /// @dev Where tokens can be, and who slashes.
    function _places() private {
        (,, address lazyMarket, address disputeCourt) = lazy.parts();
        (,, address receiptCourt) = court.parts();
        (,, QuorumMarket quorumMarket, QuorumMembers pool) = quorum.parts();
        (, AttestedMarket attestedMarket,,) = attested.parts();
        address market = address(ground.market);
        board = new ResultBoard(Markets(market, lazyMarket, address(quorumMarket), address(attestedMarket)));
        slashers = [market, host.slashers(1), lazyMarket, receiptCourt, address(pool)];
        vaults = [market, lazyMarket, disputeCourt, receiptCourt, address(quorumMarket), address(attestedMarket)];
        vaults.push(address(ground.staking));
        // What has no business with tokens.
        vaults.push(address(pool));
        vaults.push(address(board));
        vaults.push(address(ground.registry));
        vaults.push(address(ground.verifier));
        vaults.push(address(ground.validator));
    }

    /// @dev Everybody whom the handlers name, once.
    function _people() private {
        string[8] memory names = [
            "builder", "second builder", "requester", "executor", "challenger", "client", "stranger", "second slasher"
        ];
        for (uint256 i = 0; i < names.length; ++i) {
            accounts.push(makeAddr(names[i]));
        }
        for (uint256 i = 1; i <= quorum.accountCount(); ++i) {
            accounts.push(makeAddr(string.concat("executor ", vm.toString(i))));
            if (i > 3) continue;
            accounts.push(makeAddr(string.concat("requester ", vm.toString(i))));
            accounts.push(makeAddr(string.concat("challenger ", vm.toString(i))));
        }
    }

    // --- play ---

    /// @dev One acts for a while, then another: what has to follow in time does.
    function _play(string memory name, uint256 calls) private {
        uint256 index;
        uint256 left;
        for (uint256 i = 0; i < calls; ++i) {
            bytes32 dice = keccak256(abi.encode(name, i));
            // Lazy answers take the most steps.
            if (left == 0) (index, left) = (uint256(dice) % (handlers.length + 1), uint256(dice) >> 64 & 31);
            else --left;
            this.act(index == handlers.length ? 1 : index, dice);
        }
    }

    /// @dev Days pass seldom here: most of what is open would end by itself.
    function act(uint256 index, bytes32 dice) external {
        bytes4[] memory selectors = actionsOf(index);
        bytes4 selector = selectors[(uint256(dice) >> 128) % selectors.length];
        if (uint256(dice) >> 96 & 3 != 0 && _passesDays(selector)) return;
        _call(handlers[index], selector, dice);
    }

    function _passesDays(bytes4 selector) private view returns (bool) {
        return selector == host.passTime.selector || selector == host.completeExit.selector
            || selector == lazy.leave.selector || selector == court.passAnEpoch.selector
            || selector == court.completeExit.selector || selector == quorum.exitStake.selector
            || selector == quorum.passAnAge.selector;
    }

    /// @dev Booleans are arguments too, and only 0 and 1 decode: what does not decode is refused with no reason.
    function _call(address handler, bytes4 selector, bytes32 dice) private {
        bytes memory reason;
        for (uint256 boolAt = 0; boolAt < 6; ++boolAt) {
            bytes memory data = abi.encodePacked(selector);
            for (uint256 j = 0; j < 6; ++j) {
                uint256 word = uint256(keccak256(abi.encode(dice, j)));
                // The first is never one.
                data = bytes.concat(data, abi.encode(boolAt != 0 && j == boolAt ? word & 1 : word));
            }
            bool success;
            (success, reason) = handler.call(data);
            if (success) return;
            if (reason.length != 0) break;
        }
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }

    /// @dev The steps that matter, by handler.
    function _steps() private pure returns (string[8][6] memory) {
        return [
            ["lock", "fulfill", "takeOver", "refundLocked", "lockSigned", "lockAndFulfill", "fulfillBatch", "request"],
            ["lock", "answer", "commit", "challenge", "draw", "prove", "slash", "finalize"],
            ["issue", "commit", "challenge", "respond", "slash", "open", "release", "issue"],
            ["draw", "commit", "commitALie", "reveal", "reach", "slashOutlier", "slashSilent", "fail"],
            ["ask", "answer", "answerSigned", "refund", "sign", "cancel", "withdraw", "ask"],
            [
                "publishProven",
                "publishLazy",
                "publishQuorum",
                "publishAttested",
                "withdrawCredit",
                "burnStake",
                "refusedHidden",
                "refusedUnfinished"
            ]
        ];
    }

    function _stepsOf() private view returns (uint256 sum) {
        string[8][6] memory names = _steps();
        for (uint256 i = 0; i < names.length; ++i) {
            for (uint256 j = 0; j < names[i].length; ++j) {
                sum += IHandler(handlers[i]).countOf(names[i][j]);
            }
        }
    }

    /// @dev Adds up what happened on a deployment.
    function _tally() private {
        string[8][6] memory names = _steps();
        for (uint256 i = 0; i < names.length; ++i) {
            for (uint256 j = 0; j < names[i].length; ++j) {
                _reached[i][j] += IHandler(handlers[i]).countOf(names[i][j]);
            }
        }
    }

    function _missing() private view returns (string memory missing) {
        string[6] memory places = ["market", "lazy", "receipts", "quorum", "attested", "common"];
        string[8][6] memory names = _steps();
        for (uint256 i = 0; i < names.length; ++i) {
            for (uint256 j = 0; j < names[i].length; ++j) {
                if (_reached[i][j] == 0) missing = string.concat(missing, places[i], ": ", names[i][j], "; ");
            }
        }
    }

    function _burned() private view returns (uint256) {
        return common.burned() + lazy.bondsBurned() + court.courtBurned();
    }
}
