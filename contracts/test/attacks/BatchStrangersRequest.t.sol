// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestState, SkipReason} from "../../src/types/MarketTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @notice A batch with requests that somebody else holds: to be paid for his work, or to sink the batch of an executor
/// who put them in.
contract BatchStrangersRequestAttack is BatchNetwork {
    uint256 internal mine;
    uint256 internal his;

    function setUp() public override {
        super.setUp();
        stakeFor(stranger, STAKE);
        mine = open(rowParams(0));
        lockBy(executor, mine);
        his = open(rowParams(1));
        lockBy(stranger, his);
        nextBlock();
    }

    function test_attack_nobodyIsPaidForAnothersLock() external {
        vm.expectEmit(address(market));
        emit IInferenceMarket.FulfilmentSkipped(his, executor, SkipReason.NOT_LOCK_HOLDER);
        assertEq(fulfillBatchBy(executor, two(mine, his)), 1, "his is left out");
        assertState(his, RequestState.LOCKED);
        assertEq(staking.allocation(stranger, address(market)).locked, COLLATERAL, "and stays backed by him");
        assertEq(market.balanceOf(executor), PRICE * 9 / 10, "one fee");
        assertEq(market.balanceOf(stranger), 0, "none for him");
    }

    /// @notice The proof in the mempool, taken by another: he holds no lock of these requests.
    function test_attack_aCopiedBatch() external {
        refuseBatchBy(
            builder, two(mine, his), abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NothingToFulfill.selector)
        );
        // The other executor takes it for what he holds himself, and is paid for that only.
        assertEq(fulfillBatchBy(stranger, two(mine, his)), 1, "his own");
        assertState(mine, RequestState.LOCKED);
        assertEq(fulfillBatchBy(executor, two(mine, his)), 1, "mine, afterwards");
    }

    /// @notice Locked only after the proof was seen: not in the same block.
    function test_attack_lockWithACopiedBatch() external {
        uint256 fresh = open(rowParams(2));
        lockBy(stranger, fresh);
        uint256[] memory ids = new uint256[](3);
        (ids[0], ids[1], ids[2]) = (mine, his, fresh);
        vm.expectEmit(address(market));
        emit IInferenceMarket.FulfilmentSkipped(fresh, stranger, SkipReason.LOCKED_IN_THIS_BLOCK);
        assertEq(fulfillBatchBy(stranger, ids), 1, "not the fresh one");
        assertState(fresh, RequestState.LOCKED);
    }
}
