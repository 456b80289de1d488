// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyClaim, LazyDispute} from "../types/LazyTypes.sol";
import {ITokenAccounts} from "./ITokenAccounts.sol";

/// @title Court for doubts about lazy answers
/// @notice Who doubts an answer puts up a bond here; a proof in time takes it, and without one it returns. The court
/// holds bonds and deadlines, each market by itself; what an answer is worth, and the stake behind it, is the market's.
/// @dev Anybody may name any contract as market: whatever it does concerns only disputes about its own answers.
interface IDisputeCourt is ITokenAccounts {
    event ChallengeCommitted(address indexed challenger, bytes32 commitment, uint256 bond);
    event CommitmentWithdrawn(address indexed challenger, bytes32 commitment, uint256 bond);
    /// @notice Somebody doubts an answer or, where the bond is zero, the lot fell on it.
    event Disputed(
        address indexed market,
        uint256 indexed requestId,
        address indexed executor,
        LazyClaim claim,
        LazyDispute dispute
    );
    /// @notice A challenged claim was proven: of the challenger's bond `paid` is the executor's, `burned` is lost.
    event ChallengeFailed(
        address indexed market, uint256 indexed requestId, address indexed challenger, uint256 paid, uint256 burned
    );
    /// @notice No proof came in time: the market slashes, and the challenger has his bond back.
    event ChallengeWon(address indexed market, uint256 indexed requestId, address indexed challenger, uint256 bond);
    /// @notice A claim of a list was left out: it is settled, was shown wrongly, or its time for a proof is over.
    event ProofSkipped(address indexed market, uint256 indexed requestId);
    event Burned(uint256 amount);

    error DisputeCourt_InvalidConfiguration();
    error DisputeCourt_CommitmentExists(bytes32 commitment);
    error DisputeCourt_NotCommitted(address challenger, bytes32 commitment);
    error DisputeCourt_CommittedInThisBlock(bytes32 commitment);
    error DisputeCourt_AlreadyDisputed(uint256 requestId);
    error DisputeCourt_NotDisputed(uint256 requestId);
    error DisputeCourt_NoSeed(uint256 requestId, uint256 blockNumber);
    error DisputeCourt_NotDrawn(uint256 requestId);
    error DisputeCourt_ProofOfAnotherClaim(uint256 requestId);
    error DisputeCourt_NothingToSettle();
    error DisputeCourt_NotEnoughGas(uint256 available, uint256 needed);
    error DisputeCourt_NotOverdue(uint256 requestId, uint64 deadline);
    error DisputeCourt_NothingToBurn();

    // --- doubts ---
    /// @notice Commits the caller to a challenge, with `CHALLENGE_BOND` of his balance.
    /// @param commitment `commitmentOf` him, the market, the claim and a salt.
    function commitChallenge(bytes32 commitment) external;
    /// @notice Takes back a commitment that was not opened, and its bond.
    function withdrawCommitment(bytes32 commitment) external;
    /// @notice Doubts an answer within its challenge window. Only who committed to it in an earlier block.
    /// @dev The deadline for a proof is a whole response window after that of the executor's last open challenge: many
    /// at once queue, they do not kill.
    function challenge(address market, LazyClaim calldata claim, bytes32 salt) external;
    /// @notice Shows that the lot fell on an answer, within its challenge window and the 256 blocks after the one that
    /// draws. Anyone.
    /// @dev The deadline for a proof is a response window from now: lots have no bond, so they stand in no queue, and
    /// delay no verdict on a challenge.
    function drawLot(address market, LazyClaim calldata claim) external;

    // --- verdicts ---
    /// @notice Proves answers of one market, disputed or not: final and paid at once. Anyone; one proof settles all
    /// claims of the list, which say the same of the same version and input. Claims that are settled already, shown
    /// wrongly or overdue are left out with `ProofSkipped`.
    /// @dev The transaction needs the gas promised to all callbacks: which claims share a proof is the caller's choice.
    /// @param input packed input for `PACKED`; empty for `KZG`.
    /// @return settled number of claims that became final.
    function prove(
        address market,
        LazyClaim[] calldata claims,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external returns (uint256 settled);
    /// @notice Slashes an executor whose disputed answer was not proven in time. Anyone.
    function slash(address market, LazyClaim calldata claim) external;
    /// @notice Sends what failed challengers lost to `BURN_ADDRESS`. Anyone.
    function burn() external returns (uint256 amount);

    // --- views ---
    /// @notice What a challenger commits to. It holds him, so that nobody else can open it.
    function commitmentOf(address challenger, address market, LazyClaim calldata claim, bytes32 salt)
        external
        pure
        returns (bytes32);
    /// @notice Block of an unopened commitment; zero where there is none.
    function committedAt(address challenger, bytes32 commitment) external view returns (uint256);
    /// @notice Whether the lot fell on an answer; reverts where there is no seed (yet, or any more).
    function isDrawn(LazyClaim calldata claim) external view returns (bool);
    /// @notice The open dispute about an answer; all zero where there is none.
    function disputeOf(address market, uint256 requestId) external view returns (LazyDispute memory);
    /// @notice Challenges of an executor's answers at a market that are open, and when the last of them is due. Lots
    /// are not among them.
    function queueOf(address market, address executor) external view returns (uint256 open, uint64 lastDeadline);
    function pendingBurn() external view returns (uint256);
    function BURN_ADDRESS() external view returns (address);
    function CHALLENGE_BOND() external view returns (uint128);
    function EXECUTOR_BPS() external view returns (uint16);
}
