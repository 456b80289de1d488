// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ReceiptClaims} from "./ReceiptClaims.sol";
import {ReceiptPools} from "./ReceiptPools.sol";
import {IReceiptCourt} from "./interfaces/IReceiptCourt.sol";
import {IZkVerifier} from "./interfaces/IZkVerifier.sol";
import {Receipts} from "./libraries/Receipts.sol";
import {ClaimState, CourtLimits, Receipt, ReceiptFlaw} from "./types/ReceiptTypes.sol";

/// @title Court for bonded receipts
/// @notice A claim goes COMMITTED -> OPEN -> PROVEN, SLASHED or MOOT, or from COMMITTED to WITHDRAWN or REPORTED. A
/// challenger's bond leaves his balance once, and reaches balances or the fire once, when the claim becomes final.
contract ReceiptCourt is ReceiptPools, ReceiptClaims {
    using Receipts for Receipt;

    IZkVerifier private immutable ZK_VERIFIER;

    constructor(address zkVerifier_, address staking_, CourtLimits memory limits) ReceiptPools(staking_, limits) {
        // Check
        if (zkVerifier_.code.length == 0) revert ReceiptCourt_NoCodeAt(zkVerifier_);
        // Effect
        ZK_VERIFIER = IZkVerifier(zkVerifier_);
    }

    /// @inheritdoc IReceiptCourt
    function commit(bytes32 commitment) external nonReentrant returns (uint256 claimId) {
        // Interaction: only where the balance falls short; the guard is held.
        _takeBond(MAX_CHALLENGE_BOND);
        // Effect
        claimId = _enter(commitment);
        emit Committed(claimId, msg.sender, commitment, MAX_CHALLENGE_BOND);
    }

    /// @inheritdoc IReceiptCourt
    function withdrawCommitment(uint256 claimId) external nonReentrant {
        // Check
        StoredClaim storage claim = _committed(claimId);
        // Effect
        claim.state = ClaimState.WITHDRAWN;
        _credit(msg.sender, MAX_CHALLENGE_BOND);
        emit CommitmentWithdrawn(claimId, msg.sender, MAX_CHALLENGE_BOND);
    }

    /// @inheritdoc IReceiptCourt
    function challengeReceipt(
        uint256 claimId,
        Receipt calldata receipt,
        bytes calldata signature,
        bytes calldata input,
        bytes32 salt
    ) external nonReentrant {
        // Check: committed before; a receipt that binds a slot now; its own input, whole.
        bytes32 digest = digestOf(receipt);
        _opened(claimId, digest, salt);
        (ReceiptFlaw flaw, uint256 poolId) = _judge(receipt, digest, signature);
        if (flaw != ReceiptFlaw.NONE) revert ReceiptCourt_InvalidReceipt(flaw);
        _checkInput(receipt, input);
        bytes32 subject = Receipts.subject(receipt.versionId, receipt.inputBinding, receipt.outputDigest);
        if (_proven[subject]) revert ReceiptCourt_AlreadyProven(subject);

        // Effect
        uint64 deadline = _openClaim(claimId, receipt, poolId, subject);
        emit ReceiptChallenged(claimId, receipt.executor, receipt.versionId, deadline, receipt, signature, input);
    }

    /// @inheritdoc IReceiptCourt
    function respond(
        uint256[] calldata claimIds,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external nonReentrant returns (uint256 settled) {
        // Check: the proof is of the version of the first claim that it can settle; the others are held against it.
        uint64 versionId = _versionOf(claimIds);
        bytes32 inputBinding = ZK_VERIFIER.verify(versionId, circuitIndex, input, output, proof);
        bytes32 subject = Receipts.subject(versionId, inputBinding, keccak256(output));
        // Effect
        _proven[subject] = true;
        for (uint256 i = 0; i < claimIds.length; ++i) {
            uint256 claimId = claimIds[i];
            StoredClaim storage claim = _claims[claimId];
            // An id that comes twice is settled by now.
            if (!_isAnswerable(claim)) {
                emit ResponseSkipped(claimId, claim.state);
                continue;
            }
            // Check
            if (claim.subject != subject) revert ReceiptCourt_ProofOfAnotherClaim(claimId);
            // Effect
            _settle(claimId, claim);
            ++settled;
        }
    }

    /// @inheritdoc IReceiptCourt
    function slash(uint256 claimId) external nonReentrant {
        // Check: unanswered.
        StoredClaim storage claim = _claims[claimId];
        if (claim.state != ClaimState.OPEN) revert ReceiptCourt_NotOpen(claimId, claim.state);
        if (block.timestamp <= claim.time) revert ReceiptCourt_NotOverdue(claimId, claim.time);

        // Effect
        address challenger = claim.challenger;
        _credit(challenger, _leaveCourt(claim));
        if (_isSlashed(claim.poolId, claim.slot)) {
            claim.state = ClaimState.MOOT;
            emit ClaimMoot(claimId, challenger);
            return;
        }
        claim.state = ClaimState.SLASHED;
        // Interaction: the staking contract moves no tokens and cannot refuse.
        (uint256 compensation, uint256 reward, uint256 burned) =
            _slashSlot(claimId, claim.poolId, claim.slot, challenger, claim.beneficiary, claim.price);
        emit ClaimSlashed(claimId, challenger, claim.beneficiary, compensation, reward, burned);
    }

    /// @inheritdoc IReceiptCourt
    function reportEquivocation(
        uint256 claimId,
        Receipt calldata first,
        bytes calldata firstSignature,
        Receipt calldata second,
        bytes calldata secondSignature,
        bytes32 salt
    ) external nonReentrant {
        // Check: committed before, so that the liar cannot take the report's reward when he sees it.
        (bytes32 firstDigest, bytes32 secondDigest) = (digestOf(first), digestOf(second));
        StoredClaim storage claim = _opened(claimId, Receipts.pairDigest(firstDigest, secondDigest), salt);
        // Check: two, and for one slot.
        if (
            firstDigest == secondDigest || first.executor != second.executor || first.epoch != second.epoch
                || first.slot != second.slot
        ) revert ReceiptCourt_NoEquivocation();
        uint256 poolId = _signedFor(first, firstDigest, firstSignature);
        _signedFor(second, secondDigest, secondSignature);
        StoredPool storage pool = _pools[poolId];
        if (pool.reporter != address(0)) revert ReceiptCourt_PoolForfeited(poolId);

        // Effect
        claim.state = ClaimState.REPORTED;
        pool.reporter = msg.sender;
        _credit(msg.sender, MAX_CHALLENGE_BOND);
        emit Equivocation(poolId, msg.sender, claimId, first.slot, firstDigest, secondDigest);
    }

    /// @inheritdoc IReceiptCourt
    function zkVerifier() external view returns (address) {
        return address(ZK_VERIFIER);
    }

    /// @dev Makes the caller's commitment a claim. Nothing else of the receipt will be needed.
    function _openClaim(uint256 claimId, Receipt calldata receipt, uint256 poolId, bytes32 subject)
        private
        returns (uint64 deadline)
    {
        (uint40 time, uint40 previous) = _enqueue(receipt.executor, claimId, RESPONSE_WINDOW);
        StoredClaim storage claim = _claims[claimId];
        // Values first, so that what shares a slot is written at once.
        (uint32 slot, uint64 versionId, address beneficiary) = (receipt.slot, receipt.versionId, receipt.beneficiary);
        claim.time = time;
        claim.state = ClaimState.OPEN;
        claim.slot = slot;
        claim.subject = subject;
        claim.poolId = uint40(poolId);
        claim.versionId = versionId;
        claim.previous = previous;
        // The compensation is less than the bond, which is below 2^96.
        uint96 price = uint96(receipt.price < receipt.bond ? receipt.price : receipt.bond);
        claim.beneficiary = beneficiary;
        claim.price = price;
        deadline = time;
        StoredPool storage pool = _pools[poolId];
        (uint256 challengeBond, uint32 openClaims) = (pool.challengeBond, pool.openClaims);
        pool.openClaims = openClaims + 1;
        uint256 excess = MAX_CHALLENGE_BOND - challengeBond;
        if (excess != 0) _credit(msg.sender, excess);
    }

    /// @dev A proven claim: the challenger was wrong. The executor is paid, whoever proved.
    function _settle(uint256 claimId, StoredClaim storage claim) private {
        claim.state = ClaimState.PROVEN;
        address executor = _pools[claim.poolId].executor;
        (uint256 paid, uint256 burned) = _splitOfFailure(_leaveCourt(claim));
        _credit(executor, paid);
        _toBurn(burned);
        emit ClaimProven(claimId, msg.sender, paid, burned);
    }

    /// @dev Takes a claim that becomes final off its queue and its pool.
    /// @return challengeBond what its challenger put up.
    function _leaveCourt(StoredClaim storage claim) private returns (uint256 challengeBond) {
        StoredPool storage pool = _pools[claim.poolId];
        _dequeue(pool.executor, claim);
        --pool.openClaims;
        return pool.challengeBond;
    }

    function _versionOf(uint256[] calldata claimIds) private view returns (uint64) {
        for (uint256 i = 0; i < claimIds.length; ++i) {
            StoredClaim storage claim = _claims[claimIds[i]];
            if (_isAnswerable(claim)) return claim.versionId;
        }
        revert ReceiptCourt_NothingToSettle();
    }

    /// @dev In any second a claim can be answered or slashed, never both.
    function _isAnswerable(StoredClaim storage claim) private view returns (bool) {
        return claim.state == ClaimState.OPEN && block.timestamp <= claim.time;
    }

    function _signedFor(Receipt calldata receipt, bytes32 digest, bytes calldata signature)
        private
        view
        returns (uint256 poolId)
    {
        ReceiptFlaw flaw;
        (flaw, poolId) = _judgeSigned(receipt, digest, signature);
        if (flaw != ReceiptFlaw.NONE) revert ReceiptCourt_InvalidReceipt(flaw);
    }

    function _checkInput(Receipt calldata receipt, bytes calldata input) private view {
        if (input.length > MAX_INPUT_LENGTH) revert ReceiptCourt_InputTooLong(input.length, MAX_INPUT_LENGTH);
        bytes32 expected = receipt.packedDigest();
        bytes32 given = keccak256(input);
        if (given != expected) revert ReceiptCourt_InputMismatch(given, expected);
    }
}
