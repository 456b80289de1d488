// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {QuorumRequest, QuorumRound, QuorumState, RefundReason, SeatState} from "./QuorumTypes.sol";

/// @title Market of answers on which a quorum agrees
/// @notice A request is opened, its members are drawn by the hash of a later block, each commits to an output and then
/// reveals it. Where enough revealed the same bytes, they share the price and the output is final; else it is refunded.
/// What all markets of this kind have in common is in `IRecordMarket`.
interface IQuorumMarket {
    /// @notice A request was opened and its price taken. Carries all that `draw` and `refund` need.
    /// @param openedBlock the block of this event; the weights of the block before it count.
    /// @param input the input's bytes.
    event QuorumOpened(
        uint256 indexed requestId,
        uint64 indexed versionId,
        address indexed requester,
        QuorumRequest request,
        uint64 openedBlock,
        bytes input
    );
    /// @notice The members were drawn. Carries all that they need.
    event QuorumDrawn(uint256 indexed requestId, QuorumRound round);
    event QuorumCommitted(uint256 indexed requestId, address indexed member, uint256 seat, bytes32 commitment);
    event QuorumRevealed(
        uint256 indexed requestId, address indexed member, uint256 seat, bytes32 outputDigest, bytes output
    );
    /// @notice Enough members agreed: final.
    /// @param agreed how many.
    /// @param share what each of them was paid; the first in the order of the draw got what the division left, too.
    event QuorumReached(
        uint256 indexed requestId,
        uint64 indexed versionId,
        address indexed requester,
        uint256 agreed,
        uint256 share,
        uint256 royalty,
        bytes output
    );
    /// @notice The price went back to the requester's balance.
    /// @param compensation what he got beside it, as credit in `ExecutorStaking`.
    event QuorumRefunded(
        uint256 indexed requestId, address indexed requester, uint256 price, uint256 compensation, RefundReason reason
    );

    error QuorumMarket_InvalidConfiguration();
    error QuorumMarket_MembersOutOfRange(uint256 members, uint256 minimum, uint256 maximum);
    error QuorumMarket_NoMajority(uint256 threshold, uint256 members);
    error QuorumMarket_WindowOutOfRange(uint256 window, uint256 minimum, uint256 maximum);
    error QuorumMarket_NotEnoughEligible(uint256 stake, uint256 needed);
    error QuorumMarket_InputMissing();
    error QuorumMarket_SeedNotThere(uint256 seedBlock);
    error QuorumMarket_SeedMissed(uint256 seedBlock);
    error QuorumMarket_SeedNotMissed(uint256 seedBlock);
    error QuorumMarket_NotSeated(uint256 seat, address account);
    error QuorumMarket_OtherSeatState(uint256 seat, SeatState state);
    error QuorumMarket_CommitmentsOver(uint64 deadline);
    error QuorumMarket_CommitmentsNotOver(uint64 deadline);
    error QuorumMarket_RevealsOver(uint64 deadline);
    error QuorumMarket_RoundNotOver(uint64 deadline);
    error QuorumMarket_ZeroCommitment();
    error QuorumMarket_OtherCommitment(bytes32 given, bytes32 expected);

    /// @notice Opens a request of the caller, paid from its balance.
    /// @param input the input itself, always: members are drafted, so what they need must be there for all of them.
    function request(QuorumRequest calldata request_, bytes calldata input) external returns (uint256 requestId);
    /// @notice Opens a request that its requester signed, paid from his balance. Anybody may.
    function requestSigned(QuorumRequest calldata request_, bytes calldata signature, bytes calldata input)
        external
        returns (uint256 requestId);
    /// @notice Draws the members by the hash of the seed block, while the chain knows it. Anybody may. Refunds where
    /// not enough can sit.
    /// @param openedBlock as `QuorumOpened` told it.
    function draw(QuorumRequest calldata request_, uint64 openedBlock) external;
    /// @notice Commits the holder of a seat to an output that nobody sees yet. Once.
    /// @param commitment `commitmentOf` the caller, the request, a secret random salt and the output's digest.
    function commit(QuorumRound calldata round, uint256 seat, bytes32 commitment) external;
    /// @notice Shows what the holder of a seat committed to: after the commitments' deadline, or when all committed.
    /// @param output the output itself; empty where the model gives none for this input.
    function reveal(QuorumRound calldata round, uint256 seat, bytes32 salt, bytes calldata output) external;
    /// @notice Ends a round when nothing more can come: pays those who agreed or refunds, and slashes. Anybody may.
    /// @param output what enough members agreed on; not looked at where there was no quorum.
    function settle(QuorumRound calldata round, bytes calldata output) external;
    /// @notice Refunds a request whose seed nobody used in time. Anybody may.
    function refund(QuorumRequest calldata request_, uint64 openedBlock) external;

    /// @notice The contract where members enrol, to which they allocate stake.
    function memberPool() external view returns (address);
    function MIN_MEMBERS() external view returns (uint256);
    function MAX_MEMBERS() external view returns (uint256);
    /// @notice Blocks from a request to the one whose hash is its seed.
    function SEED_DELAY() external view returns (uint256);
    function MIN_WINDOW() external view returns (uint32);
    function MAX_WINDOW() external view returns (uint32);
    /// @notice A request's id: what its requester signs, EIP-712 `QuorumInferenceRequest`.
    function idOf(QuorumRequest calldata request_) external view returns (uint256);
    function stateOf(uint256 requestId) external view returns (QuorumState);
    /// @notice What the holder of a seat has done; nothing once the round is settled.
    /// @return state whether he committed or revealed.
    /// @return word 255 bits of the commitment, or of the output's digest, and in the lowest bit whether it is
    /// revealed.
    function seatOf(uint256 requestId, uint256 seat) external view returns (SeatState state, bytes32 word);
    function commitmentOf(address member, uint256 requestId, bytes32 salt, bytes32 outputDigest)
        external
        pure
        returns (bytes32);
}
