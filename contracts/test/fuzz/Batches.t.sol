// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @title Batches of every composition
contract BatchesFuzz is BatchNetwork {
    /// @notice What the states of a batch's requests can be before it is delivered, by two bits each.
    enum Fate {
        DUE,
        OPEN,
        ANOTHERS,
        LATE
    }

    /// @notice Exactly the due requests are paid, as single fulfilments would pay them; nothing else moves.
    function testFuzz_exactlyTheDueRequestsArePaid(uint8 fates, uint88[4] memory prices, uint8 count) external {
        count = uint8(bound(count, 1, ROWS));
        stakeFor(stranger, STAKE);
        uint256[] memory ids = _prepare(fates, prices, count);
        uint256 due;
        uint256 fees;
        uint256 royalties;
        for (uint256 row = 0; row < count; ++row) {
            if (_fate(fates, row) != Fate.DUE) continue;
            ++due;
            uint256 royalty = uint256(prices[row]) * ROYALTY_BPS / 10_000;
            royalties += royalty;
            fees += prices[row] - royalty;
        }
        Case memory proven = batch.cases[0];
        Money memory before = money();
        vm.prank(executor);
        (bool success, bytes memory result) = address(market)
            .call(abi.encodeCall(market.fulfillBatch, (ids, BATCH, proven.input, proven.output, proven.proof)));
        assertTrue(success == (due != 0), "refused exactly where nothing is due");
        if (success) assertEq(abi.decode(result, (uint256)), due, "as many as are due");
        Money memory now_ = money();
        assertEq(now_.executorBalance - before.executorBalance, fees, "fees");
        assertEq(now_.royalty - before.royalty, royalties, "royalties");
        assertEq(before.escrowed - now_.escrowed, fees + royalties, "escrow, to the unit");
        assertEq(before.locked - now_.locked, due * COLLATERAL, "stake of the paid ones");
        assertEq(now_.requesterBalance, before.requesterBalance, "requesters paid before");
        for (uint256 row = 0; row < count; ++row) {
            Fate fate = _fate(fates, row);
            assertState(
                ids[row],
                fate == Fate.DUE ? RequestState.PAID : fate == Fate.OPEN ? RequestState.OPEN : RequestState.LOCKED
            );
        }
    }

    /// @notice A changed bit anywhere in a batch is refused as a whole.
    function testFuzz_anyChangedBitOfABatchIsRefused(uint256 bit) external {
        uint256[] memory ids = lockRows(ROWS);
        Case memory proven = batch.cases[0];
        bit = bound(bit, 0, 8 * (proven.input.length + proven.output.length + proven.proof.length) - 1);
        uint256 at = bit / 8;
        bytes1 mask = bytes1(uint8(1 << (bit % 8)));
        if (at < proven.input.length) proven.input[at] ^= mask;
        else if (at < proven.input.length + proven.output.length) proven.output[at - proven.input.length] ^= mask;
        else proven.proof[at - proven.input.length - proven.output.length] ^= mask;
        Money memory before = money();
        vm.expectRevert();
        vm.prank(executor);
        market.fulfillBatch(ids, BATCH, proven.input, proven.output, proven.proof);
        assertUnchanged(before);
    }

    /// @dev Requests with their fates, at a second when the late ones are late.
    function _prepare(uint8 fates, uint88[4] memory prices, uint256 count) private returns (uint256[] memory ids) {
        ids = new uint256[](count);
        for (uint256 row = 0; row < count; ++row) {
            Fate fate = _fate(fates, row);
            prices[row] = uint88(bound(prices[row], 0, DEPOSIT / ROWS));
            RequestParams memory params = rowParams(row);
            params.maxPrice = prices[row];
            if (fate == Fate.LATE) params.lockDuration = MIN_LOCK;
            ids[row] = open(params);
            if (fate != Fate.OPEN) lockBy(fate == Fate.ANOTHERS ? stranger : executor, ids[row]);
        }
        skip(MIN_LOCK + 1);
    }

    function _fate(uint8 fates, uint256 row) private pure returns (Fate) {
        return Fate((fates >> (2 * row)) & 3);
    }
}
