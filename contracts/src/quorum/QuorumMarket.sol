// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IExecutorStaking} from "../interfaces/IExecutorStaking.sol";
import {RecordMarket} from "../markets/RecordMarket.sol";
import {TrustMode, Version} from "../types/ModelTypes.sol";
import {RecordLimits} from "../types/RecordTypes.sol";
import {IQuorumMarket} from "./IQuorumMarket.sol";
import {QuorumHashes} from "./QuorumHashes.sol";
import {QuorumMembers} from "./QuorumMembers.sol";
import {QuorumRounds} from "./QuorumRounds.sol";
import {
    Draw,
    MemberLimits,
    QuorumRequest,
    QuorumRound,
    QuorumState,
    RefundReason,
    RoundLimits
} from "./QuorumTypes.sol";

/// @title Market of answers on which a quorum agrees
/// @notice A request goes OPEN -> DRAWN -> FINAL, or from OPEN or DRAWN to REFUNDED. Its price leaves the requester's
/// balance when it is opened, and reaches balances and royalties once, when it ends.
/// @dev The record of an open request is the block in which it was opened; of a drawn one, the hash of its round.
contract QuorumMarket is QuorumRounds {
    /// @inheritdoc IQuorumMarket
    uint256 public immutable MIN_MEMBERS;
    /// @inheritdoc IQuorumMarket
    uint256 public immutable MAX_MEMBERS;
    /// @inheritdoc IQuorumMarket
    uint256 public immutable SEED_DELAY;
    /// @inheritdoc IQuorumMarket
    uint32 public immutable MIN_WINDOW;
    /// @inheritdoc IQuorumMarket
    uint32 public immutable MAX_WINDOW;

    /// @dev Blocks whose hashes the EVM knows.
    uint256 private constant KNOWN_BLOCKS = 256;
    uint256 private constant MOST_MEMBERS = 32;

    constructor(
        address token_,
        address registry_,
        address staking_,
        address signatureValidator_,
        RecordLimits memory limits,
        RoundLimits memory rounds,
        MemberLimits memory members_
    )
        RecordMarket("Gateless QuorumMarket", TrustMode.QUORUM, token_, registry_, signatureValidator_, limits)
        QuorumRounds(address(new QuorumMembers(registry_, staking_, members_)))
    {
        // Check: stake in the market's own token.
        if (staking_.code.length == 0 || IExecutorStaking(staking_).token() != token_) {
            revert QuorumMarket_InvalidConfiguration();
        }
        // Check: one member is no quorum, many do not fit a transaction, the seed comes later, windows have a length.
        if (
            rounds.minMembers < 2 || rounds.minMembers > rounds.maxMembers || rounds.maxMembers > MOST_MEMBERS
                || rounds.seedDelay == 0 || rounds.minWindow == 0 || rounds.minWindow > rounds.maxWindow
        ) revert QuorumMarket_InvalidConfiguration();
        // Effect
        MIN_MEMBERS = rounds.minMembers;
        MAX_MEMBERS = rounds.maxMembers;
        SEED_DELAY = rounds.seedDelay;
        MIN_WINDOW = rounds.minWindow;
        MAX_WINDOW = rounds.maxWindow;
    }

    /// @inheritdoc IQuorumMarket
    function request(QuorumRequest calldata request_, bytes calldata input)
        external
        nonReentrant
        returns (uint256 requestId)
    {
        requestId = idOf(request_);
        _requireSent(requestId, request_.requester);
        _open(requestId, request_, input);
    }

    /// @inheritdoc IQuorumMarket
    function requestSigned(QuorumRequest calldata request_, bytes calldata signature, bytes calldata input)
        external
        nonReentrant
        returns (uint256 requestId)
    {
        requestId = idOf(request_);
        _requireSigned(requestId, request_.requester, signature);
        _open(requestId, request_, input);
    }

    /// @inheritdoc IQuorumMarket
    function draw(QuorumRequest calldata request_, uint64 openedBlock) external nonReentrant {
        // Check: open since that block, and its seed is known.
        uint256 requestId = _requireOpen(request_, openedBlock);
        uint256 seedBlock = openedBlock + SEED_DELAY;
        if (block.number <= seedBlock) revert QuorumMarket_SeedNotThere(seedBlock);
        bytes32 seedHash = blockhash(seedBlock);
        if (seedHash == 0) revert QuorumMarket_SeedMissed(seedBlock);
        // Effect
        address[] memory drawn = _drawMembers(requestId, request_, openedBlock, seedHash);
        if (drawn.length == 0) {
            return _refund(requestId, request_.requester, request_.price, 0, RefundReason.NOT_ENOUGH_MEMBERS);
        }
        _begin(requestId, request_, drawn);
    }

    /// @inheritdoc IQuorumMarket
    function refund(QuorumRequest calldata request_, uint64 openedBlock) external nonReentrant {
        // Check: nobody can draw any more.
        uint256 requestId = _requireOpen(request_, openedBlock);
        uint256 seedBlock = openedBlock + SEED_DELAY;
        if (block.number <= seedBlock + KNOWN_BLOCKS) revert QuorumMarket_SeedNotMissed(seedBlock);
        // Effect
        _refund(requestId, request_.requester, request_.price, 0, RefundReason.SEED_MISSED);
    }

    /// @inheritdoc IQuorumMarket
    function memberPool() external view returns (address) {
        return address(MEMBERS);
    }

    /// @inheritdoc IQuorumMarket
    function stateOf(uint256 requestId) external view returns (QuorumState) {
        return QuorumState(_stateOf(requestId));
    }

    /// @inheritdoc IQuorumMarket
    function idOf(QuorumRequest calldata request_) public view returns (uint256) {
        return uint256(_hashTypedDataV4(QuorumHashes.structHash(request_)));
    }

    /// @dev The caller has checked that the requester asks for it.
    function _open(uint256 requestId, QuorumRequest calldata request_, bytes calldata input) private {
        // Check
        _termsOf(request_.versionId);
        _checkRequest(request_, input);
        (uint256 eligible,) = MEMBERS.eligibleStakeAt(request_.versionId, request_.runtimeClass, block.number - 1);
        if (eligible == 0 || eligible < request_.minEligible) {
            revert QuorumMarket_NotEnoughEligible(eligible, request_.minEligible);
        }
        // Effect
        _useNonce(request_.requester, request_.nonce);
        _debit(request_.requester, request_.price);
        _setRecord(requestId, uint8(QuorumState.OPEN), bytes32(block.number));
        emit QuorumOpened(requestId, request_.versionId, request_.requester, request_, uint64(block.number), input);
    }

    function _drawMembers(uint256 requestId, QuorumRequest calldata request_, uint256 openedBlock, bytes32 seedHash)
        private
        returns (address[] memory)
    {
        (uint256 fees,) = _split(request_.price, _termsOf(request_.versionId).royaltyBps);
        return MEMBERS.draw(
            request_.versionId,
            request_.runtimeClass,
            Draw({
                blockNumber: openedBlock - 1,
                seed: keccak256(abi.encode(seedHash, requestId)),
                seats: request_.members,
                seatPrice: fees / request_.members,
                workSeconds: request_.commitWindow,
                minEligible: request_.minEligible
            })
        );
    }

    function _begin(uint256 requestId, QuorumRequest calldata request_, address[] memory members) private {
        // Timestamps fit 64 bits.
        uint64 commitDeadline = uint64(block.timestamp) + request_.commitWindow;
        QuorumRound memory round = QuorumRound({
            requestId: requestId,
            requester: request_.requester,
            versionId: request_.versionId,
            runtimeClass: request_.runtimeClass,
            inputDigest: request_.inputDigest,
            price: request_.price,
            threshold: request_.threshold,
            commitDeadline: commitDeadline,
            revealDeadline: commitDeadline + request_.revealWindow,
            callback: request_.callback,
            callbackGas: request_.callbackGas,
            members: members
        });
        _setRecord(requestId, uint8(QuorumState.DRAWN), QuorumHashes.roundHash(round));
        emit QuorumDrawn(requestId, round);
    }

    function _checkRequest(QuorumRequest calldata request_, bytes calldata input) private view {
        // Check: a majority of a bounded number.
        (uint256 members, uint256 threshold) = (request_.members, request_.threshold);
        if (members < MIN_MEMBERS || members > MAX_MEMBERS) {
            revert QuorumMarket_MembersOutOfRange(members, MIN_MEMBERS, MAX_MEMBERS);
        }
        if (threshold > members || 2 * threshold <= members) revert QuorumMarket_NoMajority(threshold, members);
        // Check: times, price, callback.
        _checkWindow(request_.commitWindow);
        _checkWindow(request_.revealWindow);
        _checkDeadline(request_.deadline, block.timestamp);
        _checkPrices(request_.price, 0, 0, 0, request_.deadline);
        _checkCallback(request_.callback, request_.callbackGas);
        // Check: the input is here, and it is what is asked about. No proof ties another binding to it.
        if (input.length == 0) revert QuorumMarket_InputMissing();
        _checkInput(request_.inputDigest, input, request_.inputHint);
        if (request_.inputBinding != request_.inputDigest) {
            revert RecordMarket_InputBindingMismatch(request_.inputBinding, request_.inputDigest);
        }
    }

    function _checkWindow(uint32 window) private view {
        if (window < MIN_WINDOW || window > MAX_WINDOW) {
            revert QuorumMarket_WindowOutOfRange(window, MIN_WINDOW, MAX_WINDOW);
        }
    }

    /// @return requestId of an open request, opened in that block.
    function _requireOpen(QuorumRequest calldata request_, uint64 openedBlock)
        private
        view
        returns (uint256 requestId)
    {
        requestId = idOf(request_);
        _requireRecord(requestId, uint8(QuorumState.OPEN), bytes32(uint256(openedBlock)));
    }

    /// @dev Whatever allows the mode and has an output that fits can answer in it: no circuit is needed.
    function _checkVersion(uint64 versionId, Version memory) internal view override {
        _checkDeliverable(versionId);
    }
}
