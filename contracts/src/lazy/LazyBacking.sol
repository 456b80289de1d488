// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IExecutorStaking} from "../interfaces/IExecutorStaking.sol";
import {ILazyMarket} from "../interfaces/ILazyMarket.sol";
import {Backing, LazyLimits} from "../types/LazyTypes.sol";
import {LazyBounds} from "./LazyBounds.sol";

/// @title What backs answers
/// @notice An executor's backing is one claim in `ExecutorStaking`, which this contract opened and alone can end: the
/// whole of it is locked there. Of the whole, this contract counts what unfinished locks and answers use, in one word:
/// no unit backs two of them, and none leaves before they are final.
abstract contract LazyBacking is LazyBounds {
    IExecutorStaking internal immutable STAKING;

    mapping(address executor => Backing) private _backings;

    constructor(address staking_, LazyLimits memory limits) {
        // Check: one token.
        if (IExecutorStaking(staking_).token() != address(TOKEN)) revert RecordMarket_InvalidConfiguration();
        // Check: nobody can leave the staking contract before the last answer that he could have given is final.
        uint64 exitDelay = IExecutorStaking(staking_).EXIT_DELAY();
        uint64 longest = MAX_LIFETIME + limits.maxLockDuration + limits.maxChallengeWindow + limits.maxResponseWindow;
        if (exitDelay < longest) revert LazyMarket_ExitDelayTooShort(exitDelay, longest);
        // Effect
        STAKING = IExecutorStaking(staking_);
    }

    /// @inheritdoc ILazyMarket
    function back(uint256 amount) external nonReentrant {
        // Check
        if (amount == 0) revert LazyMarket_ZeroAmount();
        uint256 before = _backings[msg.sender].total;
        // Effect: what does not fit is more than any allocation, and the lock below refuses it.
        uint256 total = before + amount;
        _backings[msg.sender].total = uint96(total);
        emit BackingChanged(msg.sender, total);
        // Interaction: a claim cannot change, so it ends and a larger one begins. Nobody comes between.
        _relock(msg.sender, before, total);
    }

    /// @inheritdoc ILazyMarket
    function unback(uint256 amount) external nonReentrant {
        // Check
        if (amount == 0) revert LazyMarket_ZeroAmount();
        Backing memory backing = _backings[msg.sender];
        uint256 unused = backing.total - backing.used;
        if (amount > unused) revert LazyMarket_InsufficientBacking(msg.sender, unused, amount);
        // Effect
        uint256 total = backing.total - amount;
        _backings[msg.sender].total = uint96(total);
        emit BackingChanged(msg.sender, total);
        // Interaction
        _relock(msg.sender, backing.total, total);
    }

    /// @inheritdoc ILazyMarket
    function staking() external view returns (address) {
        return address(STAKING);
    }

    /// @inheritdoc ILazyMarket
    function backingOf(address executor) external view returns (Backing memory) {
        return _backings[executor];
    }

    /// @dev Puts collateral behind a lock or an answer.
    function _use(address executor, uint256 collateral) internal {
        // Check
        Backing memory backing = _backings[executor];
        uint256 unused = backing.total - backing.used;
        if (collateral > unused) revert LazyMarket_InsufficientBacking(executor, unused, collateral);
        // Effect: at most the total.
        _backings[executor].used = uint96(backing.used + collateral);
    }

    /// @dev Takes it back, once, when the request it is behind has ended well.
    function _release(address executor, uint256 collateral) internal {
        // Effect
        _backings[executor].used -= uint96(collateral);
    }

    /// @dev Takes collateral that is used out of the backing, burns at least half of it and credits the rest. Moves no
    /// tokens and cannot fail for collateral that is used: the claim is there, and at least as large.
    /// @param requestId under which the staking contract reports the slash.
    /// @param harmed gets `compensation`, and `finder` gets `reward`; together at most half.
    function _slashUsed(
        uint256 requestId,
        address executor,
        uint256 collateral,
        address harmed,
        uint256 compensation,
        address finder,
        uint256 reward
    ) internal {
        // Effect
        Backing memory backing = _backings[executor];
        uint256 total = backing.total - collateral;
        _backings[executor] = Backing({total: uint96(total), used: uint96(backing.used - collateral)});
        emit BackingChanged(executor, total);
        // Interaction: two claims, since each has one creditor; both are over when this returns. In each at least half
        // burns: twice the compensation in the first, and in the second the rest, of which the reward is at most half.
        _relock(executor, backing.total, total);
        _slashPart(executor, bytes32(requestId), 2 * compensation, harmed, compensation);
        _slashPart(executor, ~bytes32(requestId), collateral - 2 * compensation, finder, reward);
    }

    function _relock(address executor, uint256 before, uint256 total) private {
        // Ids of slashes are requests' digests, far from these.
        bytes32 claimId = bytes32(uint256(uint160(executor)));
        if (before != 0) STAKING.unlock(claimId);
        if (total != 0) STAKING.lock(executor, claimId, total);
    }

    function _slashPart(address executor, bytes32 claimId, uint256 amount, address creditor, uint256 credit) private {
        if (amount == 0) return;
        STAKING.lock(executor, claimId, amount);
        STAKING.slash(claimId, creditor, credit);
    }
}
