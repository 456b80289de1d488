// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {ILazyMarket} from "../interfaces/ILazyMarket.sol";
import {IZkVerifier} from "../interfaces/IZkVerifier.sol";
import {DeadlineQueues} from "../libraries/DeadlineQueues.sol";
import {LazyHashes} from "../libraries/LazyHashes.sol";
import {Records} from "../libraries/Records.sol";
import {TokenAccounts} from "../markets/TokenAccounts.sol";
import {LazyClaim, LazyDispute, LazyState} from "../types/LazyTypes.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Court for doubts about lazy answers
/// @notice A disputed answer is proven up to its deadline or slashed after it: in any second one of both, never both.
/// A challenger's bond leaves his balance once, and reaches balances or the fire once.
/// @dev Disputes are kept by the market's address, as `ExecutorStaking` keeps claims by the slasher's: the court knows
/// no market, and a market names its court when it is made.
contract DisputeCourt is TokenAccounts, IDisputeCourt {
    using DeadlineQueues for DeadlineQueues.Queues;
    using LazyHashes for LazyClaim;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @inheritdoc IDisputeCourt
    address public constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;
    /// @inheritdoc IDisputeCourt
    uint128 public immutable CHALLENGE_BOND;
    /// @inheritdoc IDisputeCourt
    uint16 public immutable EXECUTOR_BPS;

    /// @dev One slot. The number is the place in the executor's queue; a lot stands in none.
    struct StoredDispute {
        address challenger;
        uint40 number;
        uint40 deadline;
    }

    /// @dev Basis points in a whole.
    uint16 private constant BPS = 10_000;
    /// @dev Of a failed challenger's bond at least a tenth burns: who challenges himself pays for it.
    uint16 private constant MOST_EXECUTOR_BPS = 9000;
    /// @dev More gas than it takes to settle one claim of a list, beside its callback's.
    uint256 private constant SETTLE_GAS = 200_000;

    mapping(address market => DeadlineQueues.Queues) private _queues;
    mapping(address market => mapping(uint256 requestId => StoredDispute)) private _disputes;
    mapping(address challenger => mapping(bytes32 commitment => uint256 blockNumber)) private _committedAt;
    uint256 private _pendingBurn;

    constructor(address token_, uint128 challengeBond, uint16 executorBps) TokenAccounts(token_) {
        // Check: a challenge always has something to lose.
        if (token_.code.length == 0 || challengeBond == 0 || executorBps > MOST_EXECUTOR_BPS) {
            revert DisputeCourt_InvalidConfiguration();
        }
        // Effect
        CHALLENGE_BOND = challengeBond;
        EXECUTOR_BPS = executorBps;
    }

    // --- doubts ---

    /// @inheritdoc IDisputeCourt
    function commitChallenge(bytes32 commitment) external nonReentrant {
        // Check
        if (_committedAt[msg.sender][commitment] != 0) revert DisputeCourt_CommitmentExists(commitment);
        // Effect
        _debit(msg.sender, CHALLENGE_BOND);
        _committedAt[msg.sender][commitment] = block.number;
        emit ChallengeCommitted(msg.sender, commitment, CHALLENGE_BOND);
    }

    /// @inheritdoc IDisputeCourt
    function withdrawCommitment(bytes32 commitment) external nonReentrant {
        // Check
        _requireCommitted(commitment);
        // Effect
        delete _committedAt[msg.sender][commitment];
        _credit(msg.sender, CHALLENGE_BOND);
        emit CommitmentWithdrawn(msg.sender, commitment, CHALLENGE_BOND);
    }

    /// @inheritdoc IDisputeCourt
    function challenge(address market, LazyClaim calldata claim, bytes32 salt) external nonReentrant {
        // Check: committed to exactly this, before anybody could see it.
        bytes32 commitment = LazyHashes.commitment(msg.sender, market, claim.hashShown(), salt);
        if (_requireCommitted(commitment) == block.number) revert DisputeCourt_CommittedInThisBlock(commitment);
        // Effect: the bond is the dispute's now.
        delete _committedAt[msg.sender][commitment];
        uint40 number = _queues[market].enter(claim.executor, claim.responseWindow);
        _dispute(market, claim, number, _queues[market].deadlineOf(number));
    }

    /// @inheritdoc IDisputeCourt
    function drawLot(address market, LazyClaim calldata claim) external nonReentrant {
        // Check
        if (!isDrawn(claim)) revert DisputeCourt_NotDrawn(claim.requestId);
        // Effect: no queue. A lot costs nobody anything, and would delay the verdicts on challenges for nothing.
        _dispute(market, claim, 0, block.timestamp + claim.responseWindow);
    }

    // --- verdicts ---

    /// @inheritdoc IDisputeCourt
    function prove(
        address market,
        LazyClaim[] calldata claims,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external nonReentrant returns (uint256 settled) {
        // Check: the proof is of the version and input of the first claim that it can settle; the others are held
        // against it.
        uint256 first = _firstProvable(market, claims);
        IZkVerifier verifier = IZkVerifier(ILazyMarket(market).zkVerifier());
        bytes32 inputBinding = verifier.verify(claims[first].versionId, circuitIndex, input, output, proof);
        _checkClaims(market, claims, first, inputBinding, keccak256(output));
        // Effect, Interaction: claim by claim, the market's callback last in each.
        for (uint256 i = first; i < claims.length; ++i) {
            // A claim that comes twice is settled by now.
            if (_isProvable(market, claims[i])) {
                ++settled;
                _settle(market, claims[i], output);
            } else {
                emit ProofSkipped(market, claims[i].requestId);
            }
        }
    }

    /// @inheritdoc IDisputeCourt
    function slash(address market, LazyClaim calldata claim) external nonReentrant {
        // Check: disputed, and not proven in time.
        uint256 requestId = claim.requestId;
        LazyDispute memory dispute = disputeOf(market, requestId);
        if (dispute.deadline == 0) revert DisputeCourt_NotDisputed(requestId);
        if (block.timestamp <= dispute.deadline) revert DisputeCourt_NotOverdue(requestId, dispute.deadline);
        // Effect: the bond goes back to where it came from.
        _end(market, claim, dispute.number);
        if (dispute.bond != 0) _credit(dispute.challenger, dispute.bond);
        emit ChallengeWon(market, requestId, dispute.challenger, dispute.bond);
        // Interaction: reverts unless this is the claim that is disputed.
        ILazyMarket(market).slash(claim, dispute.challenger);
    }

    /// @inheritdoc IDisputeCourt
    function burn() external nonReentrant returns (uint256 amount) {
        // Check
        amount = _pendingBurn;
        if (amount == 0) revert DisputeCourt_NothingToBurn();
        // Effect
        _pendingBurn = 0;
        emit Burned(amount);
        // Interaction
        TOKEN.safeTransfer(BURN_ADDRESS, amount);
    }

    // --- views ---

    /// @inheritdoc IDisputeCourt
    function commitmentOf(address challenger, address market, LazyClaim calldata claim, bytes32 salt)
        external
        pure
        returns (bytes32)
    {
        return LazyHashes.commitment(challenger, market, claim.hashShown(), salt);
    }

    /// @inheritdoc IDisputeCourt
    function committedAt(address challenger, bytes32 commitment) external view returns (uint256) {
        return _committedAt[challenger][commitment];
    }

    /// @inheritdoc IDisputeCourt
    function isDrawn(LazyClaim calldata claim) public view returns (bool) {
        // Check: a hash that nobody knew when the answer was given, and that the EVM still knows.
        uint256 seedBlock = uint256(claim.answeredBlock) + 1;
        bytes32 seed = blockhash(seedBlock);
        if (seed == 0) revert DisputeCourt_NoSeed(claim.requestId, seedBlock);
        return uint256(keccak256(abi.encode(seed, claim.requestId))) % BPS < claim.auditBps;
    }

    /// @inheritdoc IDisputeCourt
    function disputeOf(address market, uint256 requestId) public view returns (LazyDispute memory) {
        StoredDispute memory stored = _disputes[market][requestId];
        return LazyDispute({
            challenger: stored.challenger,
            bond: stored.number == 0 ? 0 : CHALLENGE_BOND,
            deadline: stored.deadline,
            number: stored.number
        });
    }

    /// @inheritdoc IDisputeCourt
    function queueOf(address market, address executor) external view returns (uint256 open, uint64 lastDeadline) {
        return (_queues[market].lengthOf(executor), _queues[market].lastDeadlineOf(executor));
    }

    /// @inheritdoc IDisputeCourt
    function pendingBurn() external view returns (uint256) {
        return _pendingBurn;
    }

    // --- steps ---

    /// @dev By the caller.
    /// @param number place in the executor's queue; zero for a lot.
    function _dispute(address market, LazyClaim calldata claim, uint40 number, uint256 deadline) private {
        // Check: a market that keeps its rules has no second dispute; bonds do not rest on that.
        uint256 requestId = claim.requestId;
        if (_disputes[market][requestId].deadline != 0) revert DisputeCourt_AlreadyDisputed(requestId);
        // Effect
        _disputes[market][requestId] =
            StoredDispute({challenger: msg.sender, number: number, deadline: deadline.toUint40()});
        emit Disputed(market, requestId, claim.executor, claim, disputeOf(market, requestId));
        // Interaction: reverts unless it is an answer that may be challenged now.
        ILazyMarket(market).dispute(claim);
    }

    /// @dev A proven claim: who doubted it was wrong. The executor is paid, whoever proved.
    function _settle(address market, LazyClaim calldata claim, bytes calldata output) private {
        uint256 requestId = claim.requestId;
        LazyDispute memory dispute = disputeOf(market, requestId);
        // Effect
        if (dispute.deadline != 0) _end(market, claim, dispute.number);
        if (dispute.bond != 0) {
            uint256 paid = uint256(dispute.bond) * EXECUTOR_BPS / BPS;
            uint256 burned = dispute.bond - paid;
            _credit(claim.executor, paid);
            _pendingBurn += burned;
            emit ChallengeFailed(market, requestId, dispute.challenger, paid, burned);
        }
        // Interaction
        ILazyMarket(market).settle(claim, output);
    }

    function _end(address market, LazyClaim calldata claim, uint64 number) private {
        delete _disputes[market][claim.requestId];
        if (number != 0) _queues[market].leave(claim.executor, number);
    }

    function _firstProvable(address market, LazyClaim[] calldata claims) private returns (uint256 first) {
        for (first = 0; first < claims.length; ++first) {
            if (_isProvable(market, claims[first])) return first;
            emit ProofSkipped(market, claims[first].requestId);
        }
        revert DisputeCourt_NothingToSettle();
    }

    /// @dev That the proof is of all claims that it would settle, and that there is gas for all. A callback that took
    /// little when the gas was estimated, and takes all that it may now, must not make the others' turn fail.
    function _checkClaims(
        address market,
        LazyClaim[] calldata claims,
        uint256 first,
        bytes32 inputBinding,
        bytes32 outputDigest
    ) private view {
        uint64 versionId = claims[first].versionId;
        uint256 promised;
        for (uint256 i = first; i < claims.length; ++i) {
            LazyClaim calldata claim = claims[i];
            if (!_isProvable(market, claim)) continue;
            if (
                claim.versionId != versionId || claim.inputBinding != inputBinding || claim.outputDigest != outputDigest
            ) revert DisputeCourt_ProofOfAnotherClaim(claim.requestId);
            promised += SETTLE_GAS + claim.callbackGas;
        }
        // EIP-150 keeps back one 64th of the gas at each call, of which there are two.
        uint256 available = gasleft() * 62 / 64;
        if (available < promised) revert DisputeCourt_NotEnoughGas(available, promised);
    }

    /// @dev An answer that is not final yet or, disputed, up to its deadline.
    function _isProvable(address market, LazyClaim calldata claim) private view returns (bool) {
        uint256 record = ILazyMarket(market).recordOf(claim.requestId);
        bytes32 claimHash = claim.hashShown();
        if (record == Records.pack(uint8(LazyState.ANSWERED), claimHash)) return true;
        return record == Records.pack(uint8(LazyState.DISPUTED), claimHash)
            && block.timestamp <= disputeOf(market, claim.requestId).deadline;
    }

    function _requireCommitted(bytes32 commitment) private view returns (uint256 blockNumber) {
        blockNumber = _committedAt[msg.sender][commitment];
        if (blockNumber == 0) revert DisputeCourt_NotCommitted(msg.sender, commitment);
    }
}
