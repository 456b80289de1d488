// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {RecordMarket} from "../markets/RecordMarket.sol";
import {Finality} from "../types/RecordTypes.sol";
import {IQuorumMarket} from "./IQuorumMarket.sol";
import {IQuorumMembers} from "./IQuorumMembers.sol";
import {QuorumHashes} from "./QuorumHashes.sol";
import {QuorumRound, QuorumState, RefundReason, SeatEnd, SeatState} from "./QuorumTypes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Rounds of drawn members
/// @notice Everybody commits before anybody reveals, so nobody copies; whoever commits to something must show it. How a
/// round comes to be is in `QuorumMarket`, which extends this.
/// @dev A seat is one word: zero; 255 bits of a commitment with the lowest bit clear; or 255 bits of an output's digest
/// with it set. The words are cleared when the round is settled.
abstract contract QuorumRounds is IQuorumMarket, RecordMarket {
    /// @dev Set in the word of a seat that was revealed.
    bytes32 private constant REVEALED = bytes32(uint256(1));

    IQuorumMembers internal immutable MEMBERS;
    /// @dev What a member loses who is outvoted.
    uint256 private immutable OUTLIER_SLASH;

    mapping(uint256 requestId => mapping(uint256 seat => bytes32)) private _seats;

    constructor(address members_) {
        MEMBERS = IQuorumMembers(members_);
        OUTLIER_SLASH = MEMBERS.OUTLIER_SLASH();
    }

    /// @inheritdoc IQuorumMarket
    function commit(QuorumRound calldata round, uint256 seat, bytes32 commitment) external nonReentrant {
        // Check: a member of a round that is not settled, in time, once.
        _requireSeat(round, seat, SeatState.SILENT);
        if (block.timestamp > round.commitDeadline) revert QuorumMarket_CommitmentsOver(round.commitDeadline);
        if (_committed(commitment) == 0) revert QuorumMarket_ZeroCommitment();
        // Effect
        _seats[round.requestId][seat] = _committed(commitment);
        emit QuorumCommitted(round.requestId, msg.sender, seat, commitment);
    }

    /// @inheritdoc IQuorumMarket
    function reveal(QuorumRound calldata round, uint256 seat, bytes32 salt, bytes calldata output)
        external
        nonReentrant
    {
        // Check: a member who committed, when nobody can commit any more, in time.
        bytes32 committed = _requireSeat(round, seat, SeatState.COMMITTED);
        if (block.timestamp > round.revealDeadline) revert QuorumMarket_RevealsOver(round.revealDeadline);
        if (block.timestamp <= round.commitDeadline && !_haveAllCommitted(round)) {
            revert QuorumMarket_CommitmentsNotOver(round.commitDeadline);
        }
        _checkOutput(output);
        // Check: what it committed to, itself, in this round.
        bytes32 digest = keccak256(output);
        bytes32 given = _committed(QuorumHashes.commitment(msg.sender, round.requestId, salt, digest));
        if (given != committed) revert QuorumMarket_OtherCommitment(given, committed);
        // Effect
        _seats[round.requestId][seat] = digest | REVEALED;
        emit QuorumRevealed(round.requestId, msg.sender, seat, digest, output);
    }

    /// @inheritdoc IQuorumMarket
    function settle(QuorumRound calldata round, bytes calldata output) external nonReentrant {
        // Check: nothing more can come.
        _requireRound(round);
        bytes32[] memory words = _takeSeats(round);
        // Effect, Interaction
        (bytes32 winner, uint256 votes) = _mostVoted(words);
        if (votes >= round.threshold) _reach(round, words, winner, votes, output);
        else _fail(round, words);
    }

    /// @inheritdoc IQuorumMarket
    function seatOf(uint256 requestId, uint256 seat) external view returns (SeatState state, bytes32 word) {
        word = _seats[requestId][seat];
        return (_stateOfSeat(word), word);
    }

    /// @inheritdoc IQuorumMarket
    function commitmentOf(address member, uint256 requestId, bytes32 salt, bytes32 outputDigest)
        external
        pure
        returns (bytes32)
    {
        return QuorumHashes.commitment(member, requestId, salt, outputDigest);
    }

    /// @dev Gives the price back and ends the request.
    function _refund(uint256 requestId, address requester, uint256 price, uint256 compensation, RefundReason reason)
        internal
    {
        // Effect
        _setRecord(requestId, uint8(QuorumState.REFUNDED), 0);
        _credit(requester, price);
        emit QuorumRefunded(requestId, requester, price, compensation, reason);
    }

    /// @dev The output is final: those who agreed share the price, the others pay for what they did or did not do.
    function _reach(
        QuorumRound calldata round,
        bytes32[] memory words,
        bytes32 winner,
        uint256 votes,
        bytes calldata output
    ) private {
        // Check: the output that they agreed on.
        bytes32 digest = keccak256(output);
        if (digest | REVEALED != winner) revert RecordMarket_OutputDigestMismatch(digest, winner);
        // Effect: what answered for it is what those who agreed would have lost, had they been outvoted.
        // It is as of the end of its round: whoever settles it late makes it no newer.
        uint64 finalAt = uint64(Math.min(block.timestamp, round.revealDeadline));
        uint128 bond = uint128(votes * OUTLIER_SLASH);
        _finishAsOf(finalAt, round.requestId, round.versionId, digest, Finality.QUORUM, bond);
        _payShares(round, words, winner, votes, output);
        // Interaction: nobody is harmed who could be compensated, so what the others lose burns.
        _endSeats(round, words, winner, 0);
        // Interaction: the requester's code, last.
        if (round.callback == address(0)) return;
        _callBack(
            Callback({
                requestId: round.requestId,
                versionId: round.versionId,
                requester: round.requester,
                inputDigest: round.inputDigest,
                inputBinding: round.inputDigest,
                callback: round.callback,
                callbackGas: round.callbackGas
            }),
            output
        );
    }

    /// @dev Royalty first, then equal shares; what the division leaves goes to the first who agreed, in the order of
    /// the draw. To the unit, all of it makes the price.
    function _payShares(
        QuorumRound calldata round,
        bytes32[] memory words,
        bytes32 winner,
        uint256 votes,
        bytes calldata output
    ) private {
        (uint256 fees, uint256 royalty) = _split(round.price, _termsOf(round.versionId).royaltyBps);
        uint256 share = fees / votes;
        uint256 rest = fees - share * votes;
        uint256 due = royalty;
        for (uint256 seat = 0; seat < words.length; ++seat) {
            if (words[seat] != winner) continue;
            _payOut(round.members[seat], round.versionId >> 32, share + rest, due);
            (rest, due) = (0, 0);
        }
        emit QuorumReached(round.requestId, round.versionId, round.requester, votes, share, royalty, output);
    }

    /// @dev No quorum: who revealed goes free, whatever it was, since nobody knows who was right. The silent ones pay,
    /// and the requester gets of that what need not burn, up to what he had paid.
    function _fail(QuorumRound calldata round, bytes32[] memory words) private {
        // Interaction: with members and staking only, which call nobody else and move no tokens.
        uint256 compensated = _endSeats(round, words, 0, round.price);
        // Effect
        _refund(round.requestId, round.requester, round.price, compensated, RefundReason.NO_QUORUM);
    }

    /// @param winner what enough agreed on; zero where there is nothing.
    /// @param most how much the requester may get of what is slashed.
    function _endSeats(QuorumRound calldata round, bytes32[] memory words, bytes32 winner, uint256 most)
        private
        returns (uint256 compensated)
    {
        SeatEnd[] memory ends = new SeatEnd[](words.length);
        for (uint256 seat = 0; seat < words.length; ++seat) {
            if (_stateOfSeat(words[seat]) != SeatState.REVEALED) ends[seat] = SeatEnd.SILENT;
            else if (winner != 0 && words[seat] != winner) ends[seat] = SeatEnd.OUTVOTED;
        }
        return MEMBERS.endSeats(
            round.versionId, round.runtimeClass, round.requestId, round.members, ends, round.requester, most
        );
    }

    /// @dev The words of all seats, which are cleared, if nothing can change in them any more.
    function _takeSeats(QuorumRound calldata round) private returns (bytes32[] memory words) {
        words = new bytes32[](round.members.length);
        bool isOver = block.timestamp > round.revealDeadline;
        bool areCommitted = block.timestamp > round.commitDeadline;
        for (uint256 seat = 0; seat < words.length; ++seat) {
            bytes32 word = _seats[round.requestId][seat];
            SeatState state = _stateOfSeat(word);
            // Check: revealed, or too late to reveal, or too late to commit.
            if (!isOver && (state == SeatState.COMMITTED || (state == SeatState.SILENT && !areCommitted))) {
                revert QuorumMarket_RoundNotOver(round.revealDeadline);
            }
            // Effect
            words[seat] = word;
            if (word != 0) delete _seats[round.requestId][seat];
        }
    }

    function _haveAllCommitted(QuorumRound calldata round) private view returns (bool) {
        for (uint256 seat = 0; seat < round.members.length; ++seat) {
            if (_seats[round.requestId][seat] == 0) return false;
        }
        return true;
    }

    /// @return word what the holder of the seat, who must be the caller, has there.
    function _requireSeat(QuorumRound calldata round, uint256 seat, SeatState expected)
        private
        view
        returns (bytes32 word)
    {
        _requireRound(round);
        if (seat >= round.members.length || round.members[seat] != msg.sender) {
            revert QuorumMarket_NotSeated(seat, msg.sender);
        }
        word = _seats[round.requestId][seat];
        SeatState state = _stateOfSeat(word);
        if (state != expected) revert QuorumMarket_OtherSeatState(seat, state);
    }

    function _requireRound(QuorumRound calldata round) private view {
        _requireRecord(round.requestId, uint8(QuorumState.DRAWN), QuorumHashes.roundHash(round));
    }

    /// @dev The word that a majority of all seats has, if one has, and how many have it: candidates cancel each other
    /// out in pairs, and what more than half have is left (Boyer and Moore). Without a majority the count says so.
    function _mostVoted(bytes32[] memory words) private pure returns (bytes32 winner, uint256 votes) {
        uint256 lead;
        for (uint256 seat = 0; seat < words.length; ++seat) {
            bytes32 word = words[seat];
            if (_stateOfSeat(word) != SeatState.REVEALED) continue;
            if (lead == 0) winner = word;
            if (word == winner) ++lead;
            else --lead;
        }
        if (winner == 0) return (0, 0);
        for (uint256 seat = 0; seat < words.length; ++seat) {
            if (words[seat] == winner) ++votes;
        }
    }

    function _stateOfSeat(bytes32 word) private pure returns (SeatState) {
        if (word == 0) return SeatState.SILENT;
        return word & REVEALED == 0 ? SeatState.COMMITTED : SeatState.REVEALED;
    }

    /// @dev A commitment as a seat holds it.
    function _committed(bytes32 commitment) private pure returns (bytes32) {
        return commitment & ~REVEALED;
    }
}
