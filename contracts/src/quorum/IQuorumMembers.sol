// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Draw, Member, MemberTerms, SeatEnd} from "./QuorumTypes.sol";

/// @title Who may be drawn into quorums
/// @notice Executors enrol for one version and runtime class with a stake that they have allocated to this contract in
/// `ExecutorStaking`. A draw is weighted by the stakes at the end of the block before the request: what came later
/// counts nothing. Draws are made, and seats ended, by the one market that this contract belongs to.
interface IQuorumMembers {
    /// @notice An enrolment as it is from now on: enrolled, changed, put to sleep, woken, slashed or ended.
    event MemberChanged(uint64 indexed versionId, bytes32 indexed runtimeClass, address indexed account, Member member);
    /// @notice A member lost stake for what it did, or did not do, in a round.
    event MemberSlashed(
        uint256 indexed requestId, address indexed account, uint256 amount, address beneficiary, uint256 compensation
    );

    error QuorumMembers_InvalidConfiguration();
    error QuorumMembers_ModeNotAllowed(uint64 versionId);
    error QuorumMembers_ZeroRuntimeClass();
    error QuorumMembers_ZeroCapacity();
    error QuorumMembers_ZeroAmount();
    error QuorumMembers_StakeTooLow(uint256 stake, uint256 minimum);
    error QuorumMembers_AlreadyEnrolled(uint64 versionId, bytes32 runtimeClass, address account);
    error QuorumMembers_NotEnrolled(uint64 versionId, bytes32 runtimeClass, address account);
    error QuorumMembers_SeatsOpen(address account, uint256 openSeats);
    error QuorumMembers_AlreadyAwake(address account);
    error QuorumMembers_AlreadyAsleep(address account);
    error QuorumMembers_NotMarket(address caller);
    error QuorumMembers_BlockNotOver(uint256 blockNumber);

    /// @notice Least stake of an enrolment, in token units.
    function MIN_STAKE() external view returns (uint256);
    /// @notice What a member loses who does not commit and reveal. As much is kept behind each seat.
    function SEAT_BOND() external view returns (uint256);
    /// @notice What a member loses who reveals another output than the quorum.
    function OUTLIER_SLASH() external view returns (uint256);
    function staking() external view returns (address);
    function registry() external view returns (address);
    /// @notice Who may draw and end seats: the contract that created this one.
    function market() external view returns (address);

    /// @notice Enrols the caller for a version that allows `QUORUM`, with stake that it has allocated here. It
    /// counts for requests from the next block on.
    /// @param runtimeClass keccak256 of the canonical text of instruction set, onnxruntime version and options.
    function enroll(uint64 versionId, bytes32 runtimeClass, uint88 stake, MemberTerms calldata terms) external;
    /// @notice Adds to the stake of the caller's enrolment.
    function addStake(uint64 versionId, bytes32 runtimeClass, uint88 amount) external;
    /// @notice Changes what the caller works for. What it was drawn for already stays.
    function setTerms(uint64 versionId, bytes32 runtimeClass, MemberTerms calldata terms) external;
    /// @notice Stops draws of the caller; its stake stays locked.
    function sleep(uint64 versionId, bytes32 runtimeClass) external;
    /// @notice Lets the caller be drawn again, by requests from the next block on.
    function wake(uint64 versionId, bytes32 runtimeClass) external;
    /// @notice Ends the caller's enrolment and frees its stake. Only without an open seat.
    function unenroll(uint64 versionId, bytes32 runtimeClass) external;

    function memberOf(uint64 versionId, bytes32 runtimeClass, address account) external view returns (Member memory);
    /// @notice The account at a position, from 1; also of those who are not enrolled any more.
    function memberAt(uint64 versionId, bytes32 runtimeClass, uint256 position) external view returns (address);
    /// @notice Stake that counts for draws at the end of a block that is over, and the number of positions.
    function eligibleStakeAt(uint64 versionId, bytes32 runtimeClass, uint256 blockNumber)
        external
        view
        returns (uint256 stake, uint256 positions);
    /// @notice An account's part of it.
    function weightAt(uint64 versionId, bytes32 runtimeClass, address account, uint256 blockNumber)
        external
        view
        returns (uint256);

    /// @notice For the market: draws and seats members.
    /// @return members in the order of the draw; empty where there are not enough, and then nobody sits.
    function draw(uint64 versionId, bytes32 runtimeClass, Draw calldata wanted)
        external
        returns (address[] memory members);
    /// @notice For the market: ends the seats of a round.
    /// @param members who sat.
    /// @param ends how each of them ended.
    /// @param beneficiary who is compensated.
    /// @param most how much he may get at most; zero for nothing.
    /// @return compensated how much he gets, as credit in `ExecutorStaking`.
    function endSeats(
        uint64 versionId,
        bytes32 runtimeClass,
        uint256 requestId,
        address[] calldata members,
        SeatEnd[] calldata ends,
        address beneficiary,
        uint256 most
    ) external returns (uint256 compensated);
}
