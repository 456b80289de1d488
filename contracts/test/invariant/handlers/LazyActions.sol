// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyClaim, LazyDispute, LazyLock, LazyRequest, LazyState} from "../../../src/types/LazyTypes.sol";
import {Finality} from "../../../src/types/RecordTypes.sol";
import {LazyStage} from "./LazyStage.sol";

/// @title Steps in the life of lazy requests, tried at any time by anybody
/// @notice Each try succeeds exactly if the rules, by the model, allow it.
abstract contract LazyActions is LazyStage {
    /// @notice A request is sent, or signed and locked, or signed and answered.
    function make(uint256 seed) external {
        if (models.length == MAX_REQUESTS) return;
        uint256 who = seed % ACTORS;
        Model memory model;
        model.request = _draw(seed, who);
        model.caseIndex = (seed >> 8) % 2;
        model.isLie = (seed >> 16) % 3 == 0;
        uint256 way = (seed >> 24) % 4;
        address account = executors[(seed >> 32) % ACTORS];
        if (way == 3) model.request.executor = account;
        if (way < 2) _send(model);
        else _sign(model, account, who, way == 3);
    }

    function lock(uint256 seed, uint256 who) external {
        (Model memory model, uint256 index, bool found) = _pick(seed, LazyState.OPEN);
        if (!found) return;
        address account = executors[who % ACTORS];
        LazyRequest memory request = model.request;
        bool may = model.state == LazyState.OPEN && block.timestamp <= request.deadline && _mayBeNamed(request, account)
            && _leavesTime(request) && _unused(account) >= request.collateral;
        LazyLock memory made = _lockNow(request, account);
        if (!_try(account, address(lazy), abi.encodeCall(lazy.lock, (request, 0, 0)), may, "lock")) return;
        models[index].state = LazyState.LOCKED;
        models[index].made = made;
        balances[request.requester] += request.maxPrice - made.price;
    }

    function lockAndAnswer(uint256 seed, uint256 who) external {
        (Model memory model, uint256 index, bool found) = _pick(seed, LazyState.OPEN);
        if (!found) return;
        LazyRequest memory request = model.request;
        address account = request.executor == address(0) ? executors[who % ACTORS] : request.executor;
        bool may = model.state == LazyState.OPEN && block.timestamp <= request.deadline && request.executor == account
            && _unused(account) >= request.collateral;
        LazyLock memory made = _lockNow(request, account);
        bytes memory data = abi.encodeCall(lazy.lockAndFulfill, (request, _output(model)));
        if (!_try(account, address(lazy), data, may, "lock and answer")) return;
        models[index].made = made;
        balances[request.requester] += request.maxPrice - made.price;
        _answered(index, made.price);
    }

    function takeOver(uint256 seed, uint256 who) external {
        (Model memory model, uint256 index, bool found) = _pick(seed, LazyState.LOCKED);
        if (!found) return;
        address account = executors[who % ACTORS];
        LazyRequest memory request = model.request;
        bool may = model.state == LazyState.LOCKED && block.timestamp > model.made.lockDeadline
            && block.timestamp <= request.deadline && _mayBeNamed(request, account) && _leavesTime(request)
            && _unused(account) >= request.collateral;
        LazyLock memory made = _lockNow(request, account);
        made.price = model.made.price;
        bytes memory data = abi.encodeCall(lazy.takeOver, (request, model.made, 0));
        if (!_try(account, address(lazy), data, may, "take over")) return;
        uint256 half = request.collateral / 2;
        uint256 reward = made.price < half ? made.price : half;
        _slash(model.made.executor, request.collateral, address(0), 0, account, reward);
        models[index].made = made;
    }

    function answer(uint256 seed, uint256 who) external {
        (Model memory model, uint256 index, bool found) = _pick(seed, LazyState.LOCKED);
        if (!found) return;
        address account = who % 8 == 0 ? executors[who % ACTORS] : model.made.executor;
        if (account == address(0)) account = executors[0];
        bool may = model.state == LazyState.LOCKED && model.made.executor == account
            && block.timestamp <= model.made.lockDeadline
            && (block.number > model.made.lockBlock || model.request.executor == account);
        bytes memory data = abi.encodeCall(lazy.fulfill, (model.request, model.made, _output(model)));
        if (!_try(account, address(lazy), data, may, "answer")) return;
        _answered(index, model.made.price);
    }

    function finalize(uint256 seed, bool many) external {
        (Model memory model, uint256 index, bool found) = _pick(seed, LazyState.ANSWERED);
        if (!found) return;
        bool may = model.state == LazyState.ANSWERED && block.timestamp > model.claim.challengeDeadline;
        bytes memory data = many
            ? abi.encodeCall(lazy.finalizeMany, (list(model.claim)))
            : abi.encodeCall(lazy.finalize, (model.claim, ""));
        if (!_try(address(this), address(lazy), data, may, many ? "finalize many" : "finalize")) return;
        _paid(index, Finality.UNCHALLENGED, !many);
        if (model.isLie) _count("a lie that nobody doubted");
    }

    function keep(uint256 seed) external {
        (Model memory model, uint256 index, bool found) = _pick(seed, LazyState.FINAL);
        if (!found) return;
        bool may = model.state == LazyState.FINAL && !model.isKept;
        bytes memory data = abi.encodeCall(lazy.keepResult, (model.claim));
        if (_try(address(this), address(lazy), data, may, "keep")) models[index].isKept = true;
    }

    function commit(uint256 seed, uint256 who) external {
        (Model memory model, uint256 index, bool found) = _pick(seed, LazyState.ANSWERED);
        if (!found || model.claim.requestId == 0) return;
        address account = challengers[who % ACTORS];
        bool may = committedIn[index][account] == 0 && courtBalances[account] >= CHALLENGE_BOND;
        bytes32 commitment = court.commitmentOf(account, address(lazy), model.claim, SALT);
        if (!_try(account, address(court), abi.encodeCall(court.commitChallenge, (commitment)), may, "commit")) return;
        committedIn[index][account] = block.number;
        courtBalances[account] -= CHALLENGE_BOND;
        ++commitments;
    }

    function withdrawCommitment(uint256 seed, uint256 who) external {
        (Model memory model, uint256 index, bool found) = _pick(seed, LazyState.FINAL);
        if (!found) return;
        address account = challengers[who % ACTORS];
        bytes32 commitment = court.commitmentOf(account, address(lazy), model.claim, SALT);
        bool may = committedIn[index][account] != 0;
        bytes memory data = abi.encodeCall(court.withdrawCommitment, (commitment));
        if (!_try(account, address(court), data, may, "withdraw a commitment")) return;
        committedIn[index][account] = 0;
        courtBalances[account] += CHALLENGE_BOND;
        --commitments;
    }

    function challenge(uint256 seed, uint256 who) external {
        (Model memory model, uint256 index, bool found) = _pick(seed, LazyState.ANSWERED);
        if (!found) return;
        address account = _committedTo(index, who);
        uint256 committed = committedIn[index][account];
        bool may = model.state == LazyState.ANSWERED && block.timestamp <= model.claim.challengeDeadline
            && committed != 0 && committed < block.number;
        bytes memory data = abi.encodeCall(court.challenge, (address(lazy), model.claim, SALT));
        if (!_try(account, address(court), data, may, "challenge")) return;
        committedIn[index][account] = 0;
        --commitments;
        _disputed(index, account, CHALLENGE_BOND);
    }

    function drawLot(uint256 seed, uint256 who) external {
        (Model memory model, uint256 index, bool found) = _pick(seed, LazyState.ANSWERED);
        if (!found) return;
        address account = challengers[who % ACTORS];
        bytes32 lot = blockhash(uint256(model.claim.answeredBlock) + 1);
        bool drawn =
            lot != 0 && uint256(keccak256(abi.encode(lot, model.claim.requestId))) % 10_000 < model.request.auditBps;
        bool may = model.state == LazyState.ANSWERED && block.timestamp <= model.claim.challengeDeadline && drawn;
        bytes memory data = abi.encodeCall(court.drawLot, (address(lazy), model.claim));
        if (_try(account, address(court), data, may, "draw")) _disputed(index, account, 0);
    }

    function proveOne(uint256 seed) external {
        (Model memory model, uint256 index, bool found) = _pick(seed, LazyState.DISPUTED);
        if (!found) return;
        bool inTime = model.state == LazyState.ANSWERED
            || (model.state == LazyState.DISPUTED && block.timestamp <= model.dispute.deadline);
        Case memory proven = packed.cases[model.caseIndex];
        bytes memory data = abi.encodeCall(
            court.prove, (address(lazy), list(model.claim), 0, proven.input, proven.output, proven.proof)
        );
        if (!_try(address(this), address(court), data, inTime && !model.isLie, "prove")) return;
        if (model.dispute.bond != 0) {
            uint256 part = uint256(model.dispute.bond) * EXECUTOR_BPS / 10_000;
            courtBalances[model.claim.executor] += part;
            bondsToBurn += model.dispute.bond - part;
            _count("a failed challenge");
        }
        delete models[index].dispute;
        _paid(index, Finality.PROVEN, true);
    }

    function slashOne(uint256 seed) external {
        (Model memory model, uint256 index, bool found) = _pick(seed, LazyState.DISPUTED);
        if (!found) return;
        bool may = model.state == LazyState.DISPUTED && block.timestamp > model.dispute.deadline;
        bytes memory data = abi.encodeCall(court.slash, (address(lazy), model.claim));
        if (!_try(address(this), address(court), data, may, "slash")) return;
        uint256 collateral = model.request.collateral;
        uint256 reward = collateral * REWARD_BPS / 10_000;
        uint256 most = collateral / 2 - reward;
        uint256 compensation = model.claim.price < most ? model.claim.price : most;
        address finder = model.dispute.challenger;
        _slash(model.claim.executor, collateral, model.request.requester, compensation, finder, reward);
        courtBalances[finder] += model.dispute.bond;
        _refunded(index, model.claim.price, LazyState.SLASHED);
        delete models[index].dispute;
    }

    function refund(uint256 seed, uint256 way) external {
        (Model memory model, uint256 index, bool found) = _pick(seed, way % 3 == 2 ? LazyState.LOCKED : LazyState.OPEN);
        if (!found) return;
        LazyRequest memory request = model.request;
        bool isOpen = model.state == LazyState.OPEN;
        if (way % 3 == 0) {
            bool may = isOpen && request.executor == address(0);
            if (!_try(request.requester, address(lazy), abi.encodeCall(lazy.cancel, (request)), may, "cancel")) return;
            _refunded(index, request.maxPrice, LazyState.REFUNDED);
        } else if (way % 3 == 1) {
            bool may = isOpen && block.timestamp > request.deadline;
            if (!_try(address(this), address(lazy), abi.encodeCall(lazy.refund, (request)), may, "refund")) return;
            _refunded(index, request.maxPrice, LazyState.REFUNDED);
        } else {
            bool may = model.state == LazyState.LOCKED && block.timestamp > model.made.lockDeadline;
            bytes memory data = abi.encodeCall(lazy.refundLocked, (request, model.made));
            if (!_try(address(this), address(lazy), data, may, "refund a missed lock")) return;
            uint256 half = request.collateral / 2;
            uint256 compensation = model.made.price < half ? model.made.price : half;
            _slash(model.made.executor, request.collateral, request.requester, compensation, address(0), 0);
            _refunded(index, model.made.price, LazyState.REFUNDED);
        }
    }

    // --- steps ---

    function _send(Model memory model) private {
        LazyRequest memory request = model.request;
        bool may = balances[request.requester] >= request.maxPrice;
        if (!_try(request.requester, address(lazy), abi.encodeCall(lazy.request, (request, "")), may, "send")) return;
        balances[request.requester] -= request.maxPrice;
        model.state = LazyState.OPEN;
        models.push(model);
    }

    function _sign(Model memory model, address account, uint256 who, bool atOnce) private {
        LazyRequest memory request = model.request;
        LazyLock memory made = _lockNow(request, account);
        bytes memory signature = signatureOf(requesterKeys[who], bytes32(lazy.idOf(request)));
        bool may = balances[request.requester] >= made.price && _unused(account) >= request.collateral
            && _mayBeNamed(request, account);
        bytes memory data = atOnce
            ? abi.encodeCall(lazy.lockSignedAndFulfill, (request, signature, _output(model)))
            : abi.encodeCall(lazy.lockSigned, (request, signature, 0, 0));
        if (!_try(account, address(lazy), data, may, atOnce ? "answer signed" : "lock signed")) return;
        // Nobody can use the nonce twice.
        _try(account, address(lazy), data, false, "the same again");
        balances[request.requester] -= made.price;
        model.made = made;
        model.state = LazyState.LOCKED;
        models.push(model);
        if (atOnce) _answered(models.length - 1, made.price);
    }

    function _answered(uint256 index, uint128 price) private {
        Model memory model = models[index];
        models[index].state = LazyState.ANSWERED;
        models[index].claim = claimNow(model.request, model.made.executor, price, _output(model));
    }

    function _disputed(uint256 index, address account, uint128 bond) private {
        LazyClaim memory claim = models[index].claim;
        uint256 from = block.timestamp;
        uint256 number;
        if (bond != 0) {
            (uint256 open, uint256 last) = queueModel(claim.executor);
            if (last > from) from = last;
            if (open != 0 && last > block.timestamp) _count("a challenge in a queue");
            number = ++challenges;
        }
        models[index].state = LazyState.DISPUTED;
        models[index].order = number;
        models[index].dispute = LazyDispute({
            challenger: account, bond: bond, deadline: uint64(from + claim.responseWindow), number: uint64(number)
        });
    }

    function _paid(uint256 index, Finality how, bool isKept) private {
        LazyClaim memory claim = models[index].claim;
        uint256 royalty = uint256(claim.price) * ROYALTY_BPS / 10_000;
        royalties += royalty;
        balances[claim.executor] += claim.price - royalty;
        models[index].state = LazyState.FINAL;
        models[index].how = how;
        models[index].isKept = isKept;
        models[index].finalAt = how == Finality.PROVEN ? uint64(block.timestamp) : claim.challengeDeadline + 1;
        ++models[index].ends;
    }

    function _refunded(uint256 index, uint256 amount, LazyState state) private {
        balances[models[index].request.requester] += amount;
        models[index].state = state;
        ++models[index].ends;
    }

    function _draw(uint256 seed, uint256 who) private returns (LazyRequest memory request) {
        request = lazyRequest(lazyVersion, packed, (seed >> 8) % 2);
        request.requester = requesters[who];
        request.maxPrice = uint128(bound(seed >> 40, 1, PRICE));
        request.collateral = uint128(bound(seed >> 72, FLOOR, 3 * COLLATERAL));
        request.auditBps = uint16(((seed >> 104) % 3) * 5000);
        request.responseWindow = uint32(bound(seed >> 112, MIN_RESPONSE_WINDOW, MAX_RESPONSE_WINDOW));
        request.challengeWindow = uint32(bound(seed >> 144, MIN_CHALLENGE_WINDOW, MAX_CHALLENGE_WINDOW));
        if ((seed >> 176) % 3 == 0) request.executor = executors[(seed >> 180) % ACTORS];
        if ((seed >> 184) % 2 == 0) {
            request.minPrice = request.maxPrice / 2;
            request.rampStart = uint64(block.timestamp);
            request.rampLength = 1800;
        }
    }

    /// @dev Somebody who committed to a challenge of it, or anybody.
    function _committedTo(uint256 index, uint256 who) private view returns (address) {
        for (uint256 i = 0; i < ACTORS; ++i) {
            address account = challengers[(who % ACTORS + i) % ACTORS];
            if (committedIn[index][account] != 0) return account;
        }
        return challengers[who % ACTORS];
    }

    /// @dev Mostly a request in the state that the action is for; sometimes any.
    function _pick(uint256 seed, LazyState preferred)
        private
        view
        returns (Model memory model, uint256 index, bool found)
    {
        if (models.length == 0) return (model, 0, false);
        index = seed % models.length;
        if ((seed >> 128) % 6 == 0) return (models[index], index, true);
        for (uint256 i = 0; i < models.length; ++i) {
            uint256 at = (index + i) % models.length;
            if (models[at].state == preferred) return (models[at], at, true);
        }
        return (models[index], index, true);
    }

    /// @dev Whether it happened, which must be whether it may.
    function _try(address account, address target, bytes memory data, bool may, string memory name)
        private
        returns (bool success)
    {
        vm.prank(account);
        (success,) = target.call(data);
        assertEq(success ? 1 : 0, may ? 1 : 0, string.concat("L4: ", name));
        _count(success ? name : string.concat("no ", name));
    }
}
