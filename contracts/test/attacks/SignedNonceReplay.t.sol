// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, SignedRequest} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice Attack: an executor uses one signature to be paid again: while the request runs, when it is paid, refunded
/// or taken over; or two signatures with one nonce, of which the requester meant one.
contract SignedNonceReplayAttack is Network {
    SignedRequest internal signed;
    bytes internal signature;

    function setUp() public override {
        super.setUp();
        (signed, signature) = signedRequest(packedParams(), 1);
    }

    function test_whileItRuns() external {
        _lock();
        _refused();
    }

    function test_onceItIsPaid() external {
        uint256 requestId = _lock();
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
        _refused();
    }

    function test_onceItIsRefunded() external {
        uint256 requestId = _lock();
        skip(LOCK_DURATION + 1);
        _refused(); // also while its lock could be taken over
        market.refund(requestId);
        _refused();
    }

    function test_oneNonceIsOneRequest() external {
        _lock();
        RequestParams memory params = packedParams();
        ++params.maxPrice;
        (signed, signature) = signedRequest(params, 1);
        _refused();
    }

    function test_aNonceIsItsAccountsOnly() external {
        _lock();
        (address other, uint256 otherKey) = makeAddrAndKey("other requester");
        depositFor(other, PRICE);
        signed = unsignedRequest(other, packedParams(), 1);
        signature = signatureOf(otherKey, bytes32(market.idOf(signed)));
        _lock();
    }

    function _lock() private returns (uint256) {
        vm.prank(executor);
        return market.lockSigned(signed, signature, 0, 0);
    }

    function _refused() private {
        uint256 balance = market.balanceOf(requester);
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NonceUsed.selector, requester, 1));
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
        assertEq(market.balanceOf(requester), balance, "not charged again");
    }
}
