// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {SignedRequest} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice Attack: an executor keeps a signature and uses it after its requester has changed his mind; or somebody
/// cancels what another signed.
contract CancelledNonceAttack is Network {
    function test_cancelledIsNeverLocked() external {
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), 770);
        vm.prank(requester);
        market.cancelNonces(3, 1 << 2); // 770 = 3 * 256 + 2
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NonceUsed.selector, requester, 770));
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
        assertEq(market.balanceOf(requester), DEPOSIT, "nothing taken");
    }

    function test_nobodyCancelsForAnother() external {
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), 770);
        vm.prank(stranger);
        market.cancelNonces(3, type(uint256).max);
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
    }

    function testFuzz_neverRevived(uint256 nonce, uint256 mask) external {
        vm.startPrank(requester);
        market.cancelNonces(nonce >> 8, 1 << (nonce & 0xff));
        market.cancelNonces(nonce >> 8, mask);
        vm.stopPrank();
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), nonce);
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NonceUsed.selector, requester, nonce));
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
    }
}
