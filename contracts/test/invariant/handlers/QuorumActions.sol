// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {QuorumRequest, QuorumRound, QuorumState, SeatState} from "../../../src/quorum/QuorumTypes.sol";
import {QuorumStage} from "./QuorumStage.sol";

/// @title Requests and rounds, with honest members, liars and sleepers, and whatever is forbidden at the moment
abstract contract QuorumActions is QuorumStage {
    // --- requests ---

    function ask(uint256 who, uint256 size, uint256 price, bool isSigned) public inThisBlock {
        if (requests.length == MAX_REQUESTS) return;
        uint256 index = who % REQUESTERS;
        uint8 count = uint8(bound(size, MIN_MEMBERS, 7));
        QuorumRequest memory asked = requestFor(count, count / 2 + 1);
        asked.requester = requesters[index];
        asked.price = uint128(bound(price, 0, 60e6));
        bytes memory data = isSigned
            ? abi.encodeCall(
                market.requestSigned, (asked, signatureOf(requesterKeys[index], market.idOf(asked)), input)
            )
            : abi.encodeCall(market.request, (asked, input));
        address caller = isSigned ? stranger : asked.requester;
        if (asked.price > balances[asked.requester] || _eligibleBefore() == 0) {
            return _refused(address(market), caller, data, "asked without money, or of nobody");
        }
        vm.prank(caller);
        (bool success,) = address(market).call(data);
        assertTrue(success, "a request that may be made");
        RequestModel storage model = requests.push();
        model.asked = asked;
        model.openedBlock = uint64(block.number);
        model.state = QuorumState.OPEN;
        for (uint256 i = 0; i < accounts.length; ++i) {
            weightOf[requests.length - 1][accounts[i]] = weightBefore[accounts[i]];
        }
        balances[asked.requester] -= asked.price;
        _count(isSigned ? "askSigned" : "ask");
    }

    function drawNext(uint256 seed) public inThisBlock {
        uint256 index = _pick(seed, QuorumState.OPEN);
        if (index == requests.length) return;
        RequestModel storage model = requests[index];
        bytes memory data = abi.encodeCall(market.draw, (model.asked, model.openedBlock));
        uint256 seedBlock = model.openedBlock + SEED_DELAY;
        if (block.number <= seedBlock || block.number > seedBlock + 256) {
            return _refused(address(market), stranger, data, "drawn without a seed");
        }
        vm.recordLogs();
        vm.prank(stranger);
        market.draw(model.asked, model.openedBlock);
        if (_fitFor(index) < model.asked.members) {
            return _refunded(model, "refundNotEnough");
        }
        QuorumRound memory round = drawnIn(vm.getRecordedLogs());
        model.state = QuorumState.DRAWN;
        model.round = round;
        for (uint256 seat = 0; seat < round.members.length; ++seat) {
            address member = round.members[seat];
            assertTrue(_isFit(index, member), "only who can sit, by old stake");
            for (uint256 other = 0; other < seat; ++other) {
                assertTrue(round.members[other] != member, "nobody twice");
            }
            seats[index].push();
        }
        // Together: whoever sits was fit before any of them sat.
        for (uint256 seat = 0; seat < round.members.length; ++seat) {
            ++members[round.members[seat]].openSeats;
        }
        _count("draw");
    }

    function refundMissed(uint256 seed) external inThisBlock {
        uint256 index = _pick(seed, QuorumState.OPEN);
        if (index == requests.length) return;
        RequestModel storage model = requests[index];
        bytes memory data = abi.encodeCall(market.refund, (model.asked, model.openedBlock));
        if (block.number <= model.openedBlock + SEED_DELAY + 256) {
            return _refused(address(market), stranger, data, "refunded while it can be drawn");
        }
        vm.prank(stranger);
        market.refund(model.asked, model.openedBlock);
        _refunded(model, "refundMissed");
    }

    // --- rounds ---

    function commit(uint256 seed, uint256 seat, uint256 mood) public inThisBlock {
        uint256 index = _pick(seed, QuorumState.DRAWN);
        if (index == requests.length) return;
        RequestModel storage model = requests[index];
        seat %= model.round.members.length;
        SeatModel storage held = seats[index][seat];
        bytes memory answer = mood % 4 == 0 ? lieOf(mood % 3) : output;
        address member = model.round.members[seat];
        bytes32 commitment = market.commitmentOf(member, model.round.requestId, SALT, keccak256(answer));
        bytes memory data = abi.encodeCall(market.commit, (model.round, seat, commitment));
        _refused(address(market), stranger, data, "committed by a stranger");
        if (held.state != SeatState.SILENT || block.timestamp > model.round.commitDeadline) {
            return _refused(address(market), member, data, "committed twice, or late");
        }
        vm.prank(member);
        market.commit(model.round, seat, commitment);
        held.state = SeatState.COMMITTED;
        held.answer = answer;
        _count(mood % 4 == 0 ? "commitALie" : "commit");
    }

    function reveal(uint256 seed, uint256 seat) public inThisBlock {
        uint256 index = _pick(seed, QuorumState.DRAWN);
        if (index == requests.length) return;
        RequestModel storage model = requests[index];
        seat %= model.round.members.length;
        SeatModel storage held = seats[index][seat];
        address member = model.round.members[seat];
        bytes memory data = abi.encodeCall(market.reveal, (model.round, seat, SALT, held.answer));
        _refused(
            address(market),
            member,
            abi.encodeCall(market.reveal, (model.round, seat, SALT, abi.encode("another", held.answer))),
            "revealed something else"
        );
        bool isTime = block.timestamp > model.round.commitDeadline || _haveAllCommitted(index);
        if (held.state != SeatState.COMMITTED || !isTime || block.timestamp > model.round.revealDeadline) {
            return _refused(address(market), member, data, "revealed too early, too late, or twice");
        }
        vm.prank(member);
        market.reveal(model.round, seat, SALT, held.answer);
        held.state = SeatState.REVEALED;
        _count("reveal");
    }

    function settle(uint256 seed) public inThisBlock {
        uint256 index = _pick(seed, QuorumState.DRAWN);
        if (index == requests.length) return;
        (bytes memory winner, uint256 votes) = _winnerOf(index);
        RequestModel storage model = requests[index];
        bool isReached = votes >= model.asked.threshold;
        bytes memory given = isReached ? winner : bytes("");
        bytes memory data = abi.encodeCall(market.settle, (model.round, given));
        if (!_isOver(index)) return _refused(address(market), stranger, data, "settled too early");
        if (isReached) {
            bytes memory other = abi.encodeCall(market.settle, (model.round, abi.encode("another", winner)));
            _refused(address(market), stranger, other, "settled with another output");
        }
        vm.prank(stranger);
        market.settle(model.round, given);
        if (isReached) _reached(index, winner, votes);
        else _failed(index);
        ++model.settlements;
        _refused(address(market), stranger, data, "settled twice");
    }

    /// @notice A round from request to settlement: alone, dice seldom roll the steps in this order.
    function play(uint256 seed, uint256 moods) external inThisBlock {
        uint256 before = requests.length;
        ask(seed, seed >> 8, seed >> 16, seed >> 40 & 1 == 0);
        if (requests.length == before) return;
        _roll(SEED_DELAY + 1, 12);
        drawNext(before);
        if (requests[before].state != QuorumState.DRAWN) return;
        uint256 count = requests[before].round.members.length;
        for (uint256 seat = 0; seat < count; ++seat) {
            uint256 mood = moods >> 4 * seat & 15;
            if (mood != 15) commit(before, seat, mood);
        }
        if (moods >> 250 & 1 == 0) _roll(1, WINDOW + 1);
        for (uint256 seat = 0; seat < count; ++seat) {
            if (moods >> (100 + 4 * seat) & 15 != 15) reveal(before, seat);
        }
        if (moods >> 251 & 1 == 0) _roll(1, 2 * WINDOW + 1);
        settle(before);
        _count("play");
    }

    // --- the rules ---

    function _reached(uint256 index, bytes memory winner, uint256 votes) private {
        RequestModel storage model = requests[index];
        uint256 price = model.asked.price;
        uint256 royalty = price * ROYALTY_BPS / 10_000;
        uint256 left = price - royalty;
        uint256 rest = left % votes;
        bytes32 digest = keccak256(winner);
        for (uint256 seat = 0; seat < model.round.members.length; ++seat) {
            address member = model.round.members[seat];
            SeatModel storage held = seats[index][seat];
            bool isRight = held.state == SeatState.REVEALED && keccak256(held.answer) == digest;
            if (isRight) {
                balances[member] += left / votes + rest;
                rest = 0;
                --members[member].openSeats;
            } else {
                bool isSilent = held.state != SeatState.REVEALED;
                _slash(member, isSilent ? SEAT_BOND : OUTLIER_SLASH, isSilent, 0);
                _count(isSilent ? "slashSilent" : "slashOutlier");
            }
        }
        royalties += royalty;
        model.state = QuorumState.FINAL;
        model.finalDigest = digest;
        model.agreed = votes;
        _count("reach");
    }

    function _failed(uint256 index) private {
        RequestModel storage model = requests[index];
        uint256 left = model.asked.price;
        for (uint256 seat = 0; seat < model.round.members.length; ++seat) {
            address member = model.round.members[seat];
            if (seats[index][seat].state == SeatState.REVEALED) {
                --members[member].openSeats;
                continue;
            }
            uint256 compensation = left < SEAT_BOND / 2 ? left : SEAT_BOND / 2;
            left -= compensation;
            credits[model.asked.requester] += compensation;
            _slash(member, SEAT_BOND, true, compensation);
        }
        _refunded(model, "fail");
    }

    function _slash(address account, uint256 amount, bool isSilent, uint256 compensation) private {
        MemberModel storage member = members[account];
        --member.openSeats;
        member.stake -= amount;
        if (isSilent || member.stake < SEAT_BOND) member.isAwake = false;
        slashedTotal += amount;
        slashedOf[account] += amount;
        burnedTotal += amount - compensation;
    }

    function _refunded(RequestModel storage model, string memory how) private {
        model.state = QuorumState.REFUNDED;
        balances[model.asked.requester] += model.asked.price;
        _count(how);
    }

    function _eligibleBefore() private view returns (uint256 sum) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            sum += weightBefore[accounts[i]];
        }
    }

    function _fitFor(uint256 index) private view returns (uint256 fit) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (_isFit(index, accounts[i])) ++fit;
        }
    }

    function _isFit(uint256 index, address account) private view returns (bool) {
        MemberModel storage member = members[account];
        QuorumRequest storage asked = requests[index].asked;
        uint256 weight = weightOf[index][account];
        uint256 seatPrice = (asked.price - uint256(asked.price) * ROYALTY_BPS / 10_000) / asked.members;
        return weight != 0 && member.isAwake && member.stake >= weight && member.openSeats < member.capacity
            && member.openSeats < member.stake / SEAT_BOND && member.minPrice <= seatPrice;
    }

    function _haveAllCommitted(uint256 index) private view returns (bool) {
        for (uint256 seat = 0; seat < seats[index].length; ++seat) {
            if (seats[index][seat].state == SeatState.SILENT) return false;
        }
        return true;
    }

    function _isOver(uint256 index) private view returns (bool) {
        QuorumRound storage round = requests[index].round;
        if (block.timestamp > round.revealDeadline) return true;
        for (uint256 seat = 0; seat < seats[index].length; ++seat) {
            SeatState state = seats[index][seat].state;
            if (state == SeatState.COMMITTED) return false;
            if (state == SeatState.SILENT && block.timestamp <= round.commitDeadline) return false;
        }
        return true;
    }

    /// @dev The answer that most revealed, by counting each against each.
    function _winnerOf(uint256 index) private view returns (bytes memory winner, uint256 votes) {
        for (uint256 seat = 0; seat < seats[index].length; ++seat) {
            if (seats[index][seat].state != SeatState.REVEALED) continue;
            uint256 found;
            for (uint256 other = 0; other < seats[index].length; ++other) {
                SeatModel storage held = seats[index][other];
                bool isSame = keccak256(held.answer) == keccak256(seats[index][seat].answer);
                if (held.state == SeatState.REVEALED && isSame) ++found;
            }
            if (found > votes) (winner, votes) = (seats[index][seat].answer, found);
        }
    }
}
