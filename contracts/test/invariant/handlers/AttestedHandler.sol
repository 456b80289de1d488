// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedMarket} from "../../../src/attested/AttestedMarket.sol";
import {AttestedRequest, AttestedState} from "../../../src/attested/AttestedTypes.sol";
import {AttestedNetwork} from "../../AttestedNetwork.t.sol";

/// @title Requesters, executors, thieves and the clock at a market of attested answers, and the model beside it
contract AttestedHandler is AttestedNetwork {
    uint256 internal constant ACTORS = 3;
    uint256 internal constant MAX_REQUESTS = 60;

    struct RequestModel {
        AttestedRequest asked;
        AttestedState state;
        bytes32 digest;
        bool isSigned;
    }

    address[] public requesters;
    uint256[] internal requesterKeys;
    address[] public executors;
    RequestModel[] internal requests;
    mapping(address => uint256) public balances;
    mapping(address => mapping(uint256 => bool)) internal isUsed;
    uint256 public royalties;
    uint256 public donated;
    mapping(bytes32 => uint256) public counts;

    function setUp() public virtual override {
        super.setUp();
        balances[requester] = DEPOSIT;
        for (uint256 i = 0; i < ACTORS; ++i) {
            (address account, uint256 key) = makeAddrAndKey(string.concat("requester ", vm.toString(i + 1)));
            requesters.push(account);
            requesterKeys.push(key);
            executors.push(makeAddr(string.concat("executor ", vm.toString(i + 1))));
            depositAt(address(market), account, DEPOSIT / 10);
            balances[account] = DEPOSIT / 10;
        }
    }

    // --- what they do ---

    function ask(uint256 who, uint256 most, uint256 ramp, bool isSigned) external {
        if (requests.length == MAX_REQUESTS) return;
        AttestedRequest memory asked = request();
        asked.requester = requesters[who % ACTORS];
        asked.maxPrice = uint128(bound(most, 0, 60e6));
        asked.executor = who >> 8 & 3 == 0 ? executors[0] : address(0);
        if (ramp % 2 == 0 && asked.maxPrice > 1) {
            (asked.minPrice, asked.rampStart) = (uint128(asked.maxPrice / 3), uint64(block.timestamp));
            asked.rampLength = uint32(1 + ramp % 3000);
        }
        if (!isSigned) {
            bytes memory data = abi.encodeCall(market.request, (asked, input));
            _refused(stranger, data, "asked in another's name");
            if (asked.maxPrice > balances[asked.requester]) return _refused(asked.requester, data, "without money");
            vm.prank(asked.requester);
            market.request(asked, input);
            balances[asked.requester] -= asked.maxPrice;
            isUsed[asked.requester][asked.nonce] = true;
        }
        RequestModel storage model = requests.push();
        model.asked = asked;
        model.state = isSigned ? AttestedState.NONE : AttestedState.OPEN;
        model.isSigned = isSigned;
        _count(isSigned ? "sign" : "ask");
    }

    function answer(uint256 seed, uint256 who, uint256 word) external {
        if (requests.length == 0) return;
        RequestModel storage model = requests[seed % requests.length];
        AttestedRequest memory asked = model.asked;
        address payee = executors[who % ACTORS];
        bytes memory answered = abi.encode(word);
        bytes memory data = _dataOf(model, answered, payee);
        _refused(executors[addmod(who, 1, ACTORS)], data, "answered with another's evidence");
        uint256 price = _priceOf(asked);
        bool isDue = model.isSigned
            ? model.state == AttestedState.NONE && !isUsed[asked.requester][asked.nonce]
                && price <= balances[asked.requester]
            : model.state == AttestedState.OPEN;
        bool isAllowed = asked.executor == address(0) || asked.executor == payee;
        if (!isDue || !isAllowed || block.timestamp > asked.deadline) {
            return _refused(payee, data, "an answer that is not due");
        }
        vm.prank(payee);
        (bool success,) = address(market).call(data);
        assertTrue(success, "an answer that is due");
        uint256 royalty = price * ROYALTY_BPS / 10_000;
        if (!model.isSigned) balances[asked.requester] += asked.maxPrice;
        balances[asked.requester] -= price;
        balances[payee] += price - royalty;
        royalties += royalty;
        isUsed[asked.requester][asked.nonce] = true;
        (model.state, model.digest) = (AttestedState.FINAL, keccak256(answered));
        _refused(payee, data, "answered twice");
        _count(model.isSigned ? "answerSigned" : "answer");
    }

    function refund(uint256 seed) external {
        if (requests.length == 0) return;
        RequestModel storage model = requests[seed % requests.length];
        bytes memory data = abi.encodeCall(market.refund, (model.asked));
        if (model.state != AttestedState.OPEN || block.timestamp <= model.asked.deadline) {
            return _refused(stranger, data, "a refund that is not due");
        }
        vm.prank(stranger);
        market.refund(model.asked);
        balances[model.asked.requester] += model.asked.maxPrice;
        model.state = AttestedState.REFUNDED;
        _refused(stranger, data, "refunded twice");
        _count("refund");
    }

    function cancel(uint256 seed) external {
        if (requests.length == 0) return;
        AttestedRequest storage asked = requests[seed % requests.length].asked;
        vm.prank(asked.requester);
        market.cancelNonces(asked.nonce >> 8, 1 << (asked.nonce & 0xff));
        isUsed[asked.requester][asked.nonce] = true;
        _count("cancel");
    }

    function withdraw(uint256 who, uint256 amount) external {
        address account = who % 2 == 0 ? requesters[who / 2 % ACTORS] : executors[who / 2 % ACTORS];
        if (balances[account] == 0) return;
        amount = bound(amount, 1, balances[account]);
        vm.prank(account);
        market.withdraw(amount, account);
        balances[account] -= amount;
        _count("withdraw");
    }

    function deposit(uint256 who, uint256 amount) external {
        address account = requesters[who % ACTORS];
        amount = bound(amount, 1, 100e6);
        depositAt(address(market), account, amount);
        balances[account] += amount;
        _count("deposit");
    }

    function donate(uint256 amount) external {
        amount = bound(amount, 1, 1e6);
        token.mint(address(market), amount);
        donated += amount;
        _count("donate");
    }

    function passTime(uint256 duration) external {
        skip(bound(duration, 1, 40 minutes));
        _count("passTime");
    }

    // --- for the invariants ---

    function actions() external pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](12);
        (selectors[0], selectors[1], selectors[2]) = (this.ask.selector, this.ask.selector, this.ask.selector);
        (selectors[3], selectors[4]) = (this.answer.selector, this.answer.selector);
        (selectors[5], selectors[6]) = (this.answer.selector, this.refund.selector);
        (selectors[7], selectors[8]) = (this.cancel.selector, this.withdraw.selector);
        (selectors[9], selectors[10]) = (this.deposit.selector, this.donate.selector);
        selectors[11] = this.passTime.selector;
    }

    function parts() external view returns (address, AttestedMarket, uint256, address) {
        return (address(token), market, modelId, requester);
    }

    function requestCount() external view returns (uint256) {
        return requests.length;
    }

    function requestAt(uint256 index) external view returns (RequestModel memory) {
        return requests[index];
    }

    function countOf(string memory name) external view returns (uint256) {
        return counts[keccak256(bytes(name))];
    }

    function escrow() external view returns (uint256 sum) {
        for (uint256 i = 0; i < requests.length; ++i) {
            if (requests[i].state == AttestedState.OPEN) sum += requests[i].asked.maxPrice;
        }
    }

    // --- steps ---

    /// @dev The rule by its words: the least until the ramp starts, the most from its end, a straight line between.
    function _priceOf(AttestedRequest memory asked) private view returns (uint256) {
        uint256 passed = block.timestamp - asked.rampStart;
        if (asked.rampLength == 0 || passed >= asked.rampLength) return asked.maxPrice;
        return asked.minPrice + uint256(asked.maxPrice - asked.minPrice) * passed / asked.rampLength;
    }

    function _dataOf(RequestModel storage model, bytes memory answered, address payee)
        private
        view
        returns (bytes memory)
    {
        AttestedRequest memory asked = model.asked;
        bytes memory evidence = evidenceOf(2, keys, list(0, 1), keySets.digestOf(answerOf(asked, answered, payee)));
        if (!model.isSigned) return abi.encodeCall(market.fulfill, (asked, 0, answered, evidence));
        uint256 index;
        while (requesters[index] != asked.requester) ++index;
        bytes memory signature = signatureOf(requesterKeys[index], market.idOf(asked));
        return abi.encodeCall(market.fulfillSigned, (asked, signature, 0, answered, evidence));
    }

    function _refused(address caller, bytes memory data, string memory reason) private {
        vm.prank(caller);
        (bool success,) = address(market).call(data);
        assertFalse(success, reason);
        _count("refused");
    }

    function _count(string memory name) private {
        ++counts[keccak256(bytes(name))];
    }
}
