// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceConsumer} from "../../../src/consumer/InferenceConsumer.sol";
import {TestDollar} from "../../../src/development/TestDollar.sol";
import {RequestState} from "../../../src/types/MarketTypes.sol";
import {ConsumerNetwork, OpenConsumer} from "../../ConsumerNetwork.t.sol";

/// @title Everybody at once, around one consumer
/// @notice Two users who ask, the contract that asks for itself, two executors, strangers and the clock; real proofs.
/// Beside the contracts the handler keeps what the rules say, in plain arithmetic.
contract ConsumerHandler is ConsumerNetwork {
    enum Fate {
        OPEN,
        LOCKED,
        MISSED,
        UNTOLD,
        TOLD,
        REFUNDED,
        RECLAIMED
    }

    /// @param owner who asked: a user, or the consumer itself.
    /// @param holder who locked it last.
    /// @param most what was paid in.
    /// @param least where a price that rises started; `most` where it does not.
    /// @param price the most, then what the first lock made of it.
    /// @param since when it was asked.
    /// @param length seconds in which the price rises.
    /// @param isChanged whether the change was credited, if any was due.
    /// @param caseIndex the question, a case of the fixture.
    struct Question {
        uint256 requestId;
        address owner;
        address holder;
        uint256 most;
        uint256 least;
        uint256 price;
        uint256 since;
        uint256 length;
        bool isChanged;
        uint256 caseIndex;
        Fate fate;
    }

    uint256 internal constant MAX_QUESTIONS = 40;

    Question[] internal questions;
    mapping(address account => uint256 amount) public refunds;
    mapping(address account => uint256 amount) public compensations;
    mapping(string outcome => uint256 count) public countOf;
    uint256 public free;
    uint256 public told;
    /// @notice Compensations that the staking contract credited and that nobody has withdrawn.
    uint256 public waiting;
    address internal second;

    function setUp() public override {
        super.setUp();
        second = makeAddr("second executor");
    }

    function parts() external view returns (OpenConsumer, TestDollar, address user_, address other_) {
        return (consumer, token, user, other);
    }

    function networkParts() external view returns (address market_, address staking_) {
        return (address(market), address(staking));
    }

    function allQuestions() external view returns (Question[] memory) {
        return questions;
    }

    function actions() external pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](16);
        selectors[0] = this.ask.selector;
        selectors[1] = this.ask.selector;
        selectors[2] = this.fundAndAsk.selector;
        selectors[3] = this.lockOne.selector;
        selectors[4] = this.answerOne.selector;
        selectors[5] = this.answerOne.selector;
        selectors[6] = this.breakOrMend.selector;
        selectors[7] = this.deliverOne.selector;
        selectors[8] = this.missOne.selector;
        selectors[9] = this.refundOutside.selector;
        selectors[10] = this.reclaimOne.selector;
        selectors[11] = this.withdraw.selector;
        selectors[12] = this.cancelOne.selector;
        selectors[13] = this.intrude.selector;
        selectors[14] = this.takeOverOne.selector;
        selectors[15] = this.collectOne.selector;
    }

    // --- what users do ---

    function ask(uint256 who, uint256 caseIndex, uint256 price) external {
        address account = who % 2 == 0 ? user : other;
        price = bound(price, 0, 7e6);
        if (questions.length == MAX_QUESTIONS || token.balanceOf(account) < price) return;
        caseIndex %= packed.cases.length;
        InferenceConsumer.Terms memory terms_ = _terms(price, who >> 1);
        bytes memory input = packed.cases[caseIndex].input;
        vm.prank(account);
        uint256 requestId = consumer.askForCaller(terms_, input, uint96(caseIndex));
        _note(requestId, account, terms_, caseIndex, "asked");
    }

    function fundAndAsk(uint256 who, uint256 amount, uint256 price) external {
        address account = who % 2 == 0 ? user : other;
        amount = bound(amount, 1, 9e6);
        if (questions.length == MAX_QUESTIONS || token.balanceOf(account) < amount) return;
        vm.prank(account);
        consumer.fund(amount);
        free += amount;
        price = bound(price, 0, free + 1);
        InferenceConsumer.Terms memory terms_ = _terms(price, who >> 1);
        bytes memory input = packed.cases[0].input;
        if (price > free) {
            _assertRefused(abi.encodeCall(consumer.askForItself, (terms_, input, 0)), "spent too much");
            return;
        }
        free -= price;
        _note(consumer.askForItself(terms_, input, 0), address(consumer), terms_, 0, "asked for itself");
    }

    function withdraw(uint256 who) external {
        address account = who % 2 == 0 ? user : other;
        uint256 before = token.balanceOf(account);
        vm.startPrank(account);
        if (refunds[account] != 0) {
            consumer.withdrawRefund(account);
            before += refunds[account];
            refunds[account] = 0;
            ++countOf["refund withdrawn"];
        }
        if (compensations[account] != 0) {
            consumer.withdrawCompensation(account);
            before += compensations[account];
            waiting -= compensations[account];
            compensations[account] = 0;
            ++countOf["compensation withdrawn"];
        }
        vm.stopPrank();
        assertEq(token.balanceOf(account), before, "what was due, to the unit");
    }

    function cancelOne(uint256 which) external {
        (bool found, uint256 index) = _find(which, Fate.OPEN);
        if (!found || _isOver(index)) return;
        consumer.cancel(questions[index].requestId);
        _credit(index, "cancelled");
    }

    // --- what the executor does ---

    function lockOne(uint256 which) external {
        (bool found, uint256 index) = _find(which, Fate.OPEN);
        if (!found || _isOver(index)) return;
        uint256 last = market.requestOf(questions[index].requestId).deadline;
        if (block.timestamp + LOCK_DURATION > last) return;
        questions[index].price = _priceNow(questions[index]);
        questions[index].fate = Fate.LOCKED;
        _lock(index, which % 2 == 0 ? executor : second);
        if (questions[index].price != questions[index].most) ++countOf["locked for less"];
    }

    /// @notice After a missed lock, by either executor: at the first lock's price.
    function takeOverOne(uint256 which) external {
        (bool found, uint256 index) = _find(which, Fate.LOCKED);
        if (!found || !_isOver(index)) return;
        uint256 last = market.requestOf(questions[index].requestId).deadline;
        if (block.timestamp + LOCK_DURATION > last) return;
        _lock(index, which % 2 == 0 ? executor : second);
        ++countOf["taken over"];
    }

    function answerOne(uint256 which) external {
        (bool found, uint256 index) = _find(which, Fate.LOCKED);
        if (!found || _isOver(index)) return;
        Question storage question = questions[index];
        fulfillBy(question.holder, question.requestId, packed, question.caseIndex);
        if (consumer.broken()) {
            question.fate = Fate.UNTOLD;
            ++countOf["paid and not told"];
        } else {
            _tell(index, "told by callback");
        }
    }

    function missOne(uint256 which) external {
        (bool found, uint256 index) = _find(which, Fate.LOCKED);
        if (!found) return;
        uint256 last = market.requestOf(questions[index].requestId).lockDeadline;
        if (block.timestamp <= last) vm.warp(last + 1);
        vm.roll(block.number + 1);
        ++countOf["missed"];
    }

    // --- what anybody does ---

    function breakOrMend(bool broken) external {
        consumer.setBroken(broken);
    }

    function deliverOne(uint256 which) external {
        (bool found, uint256 index) = _find(which, Fate.UNTOLD);
        if (!found || consumer.broken()) return;
        Question memory question = questions[index];
        bytes memory lie = packed.cases[(question.caseIndex + 1) % packed.cases.length].output;
        _assertRefused(abi.encodeCall(consumer.deliver, (question.requestId, lie)), "delivered a lie");
        consumer.deliver(question.requestId, packed.cases[question.caseIndex].output);
        _tell(index, "told by delivery");
    }

    /// @notice The change of a price that rose, once, at any time from the lock on; else it is refused.
    function collectOne(uint256 which) external {
        uint256 index = _some(which);
        if (index == type(uint256).max) return;
        Question storage question = questions[index];
        if (question.length == 0 || question.isChanged || question.fate == Fate.OPEN) {
            _assertRefused(abi.encodeCall(consumer.collectChange, (question.requestId)), "collected no change");
            return;
        }
        consumer.collectChange(question.requestId);
        _own(question.owner, question.most - question.price);
        question.isChanged = true;
        ++countOf["change collected"];
    }

    function refundOutside(uint256 which) external {
        uint256 index = _some(which);
        if (index == type(uint256).max || !_isOver(index)) return;
        market.refund(questions[index].requestId);
        if (questions[index].fate == Fate.LOCKED) questions[index].fate = Fate.MISSED;
        else questions[index].fate = Fate.REFUNDED;
        ++countOf["refunded outside"];
    }

    function reclaimOne(uint256 which) external {
        uint256 index = _some(which);
        if (index == type(uint256).max) return;
        Fate fate = questions[index].fate;
        bool over = fate == Fate.MISSED || fate == Fate.REFUNDED || _isOver(index);
        if (!over) {
            _assertRefused(abi.encodeCall(consumer.reclaim, (questions[index].requestId)), "reclaimed too early");
            return;
        }
        consumer.reclaim(questions[index].requestId);
        if (fate == Fate.LOCKED || fate == Fate.MISSED) _compensate(index);
        _credit(index, "reclaimed");
    }

    /// @notice What must fail at any time: made-up answers, second ones, thefts; and a foreign request's answer.
    function intrude(uint256 which) external {
        uint256 index = _some(which);
        if (index == type(uint256).max) return;
        Question memory question = questions[index];
        bytes memory output = packed.cases[question.caseIndex].output;
        bytes memory call =
            abi.encodeCall(consumer.onInference, (question.requestId, packedVersion, address(consumer), 0, 0, output));
        _assertRefused(call, "a stranger's answer");
        if (question.fate == Fate.TOLD || question.fate == Fate.RECLAIMED) {
            vm.prank(address(market));
            _assertRefused(call, "a second answer");
            _assertRefused(abi.encodeCall(consumer.deliver, (question.requestId, output)), "a second delivery");
        }
        vm.prank(stranger);
        _assertRefused(abi.encodeCall(consumer.withdrawRefund, (stranger)), "a stranger's refund");
        vm.prank(stranger);
        _assertRefused(abi.encodeCall(consumer.withdrawCompensation, (stranger)), "a stranger's compensation");
        ++countOf["intruded"];
    }

    // --- the model ---

    /// @dev Every other price rises, from anywhere below, for any part of the request's life.
    function _terms(uint256 price, uint256 dice) private pure returns (InferenceConsumer.Terms memory terms_) {
        terms_ = terms();
        terms_.price = uint128(price);
        if (price == 0 || dice % 2 == 0) return terms_;
        terms_.minPrice = uint128((dice >> 1) % price);
        terms_.rampLength = uint32((dice >> 128) % terms_.lifetime + 1);
    }

    function _note(
        uint256 requestId,
        address owner,
        InferenceConsumer.Terms memory terms_,
        uint256 caseIndex,
        string memory outcome
    ) private {
        Question storage question = questions.push();
        (question.requestId, question.owner, question.caseIndex) = (requestId, owner, caseIndex);
        (question.most, question.price, question.least) = (terms_.price, terms_.price, terms_.minPrice);
        (question.since, question.length) = (block.timestamp, terms_.rampLength);
        question.fate = Fate.OPEN;
        ++countOf[outcome];
    }

    /// @dev From the most downward, by what is missing of the ramp: the other way round than the market.
    function _priceNow(Question memory question) private view returns (uint256) {
        uint256 passed = block.timestamp - question.since;
        if (passed >= question.length) return question.most;
        uint256 missing = (question.most - question.least) * (question.length - passed);
        return question.most - (missing + question.length - 1) / question.length;
    }

    function _lock(uint256 index, address account) private {
        if (staking.available(account, address(market)) < COLLATERAL) stakeFor(account, COLLATERAL);
        lockBy(account, questions[index].requestId);
        questions[index].holder = account;
        nextBlock();
    }

    function _tell(uint256 index, string memory outcome) private {
        questions[index].fate = Fate.TOLD;
        ++told;
        ++countOf[outcome];
        assertEq(consumer.lastOutput(), packed.cases[questions[index].caseIndex].output, "the answer to the question");
        assertEq(consumer.lastContext(), questions[index].caseIndex, "with its context");
    }

    function _credit(uint256 index, string memory outcome) private {
        Question storage question = questions[index];
        _own(question.owner, question.price + (question.isChanged ? 0 : question.most - question.price));
        (question.fate, question.isChanged) = (Fate.RECLAIMED, true);
        ++countOf[outcome];
    }

    function _own(address owner, uint256 amount) private {
        if (owner == address(consumer)) free += amount;
        else refunds[owner] += amount;
    }

    function _compensate(uint256 index) private {
        Question storage question = questions[index];
        compensations[question.owner] += question.price < COLLATERAL / 2 ? question.price : COLLATERAL / 2;
        waiting += question.price < COLLATERAL / 2 ? question.price : COLLATERAL / 2;
    }

    /// @dev Whether the market would refund it now.
    function _isOver(uint256 index) private view returns (bool refundable) {
        (, refundable) = market.statusOf(questions[index].requestId);
    }

    function _some(uint256 which) private view returns (uint256) {
        return questions.length == 0 ? type(uint256).max : which % questions.length;
    }

    function _find(uint256 which, Fate fate) private view returns (bool, uint256) {
        for (uint256 i = 0; i < questions.length; ++i) {
            uint256 index = (which % questions.length + i) % questions.length;
            if (questions[index].fate == fate) return (true, index);
        }
        return (false, 0);
    }

    function _assertRefused(bytes memory call, string memory reason) private {
        (bool success,) = address(consumer).call(call);
        assertFalse(success, reason);
    }
}
