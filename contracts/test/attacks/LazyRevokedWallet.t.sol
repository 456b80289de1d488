// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {LazyClaim, LazyLock, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";
import {OwnedWallet} from "../Wallets.sol";

/// @notice Attack: a contract account signs, and revokes once an executor has taken the request on, to get his work for
/// nothing. No signature is looked at after the lock, and the price was taken by it.
contract LazyRevokedWalletAttack is LazyNetwork {
    OwnedWallet internal wallet;

    function setUp() public override {
        super.setUp();
        wallet = new OwnedWallet(requester, true);
        depositLazy(address(wallet), PRICE);
    }

    function test_attack_revokedAfterTheLock() external {
        (LazyRequest memory request, bytes memory signature) = _sign();
        LazyLock memory made = lockNow(request, executor);
        vm.prank(executor);
        lazy.lockSigned(request, signature, 0, 0);
        wallet.setOwner(stranger);
        vm.prank(address(wallet));
        lazy.cancelNonces(request.nonce >> 8, type(uint256).max);
        nextBlock();
        LazyClaim memory claim = claimNow(request, executor, PRICE, truth());
        vm.prank(executor);
        lazy.fulfill(request, made, truth());
        finalized(claim);
        assertEq(lazy.balanceOf(executor), PRICE * 9 / 10, "paid");
    }

    function test_attack_revokedBeforeTheLock() external {
        (LazyRequest memory request, bytes memory signature) = _sign();
        wallet.setOwner(stranger);
        vm.expectPartialRevert(IRecordMarket.RecordMarket_InvalidSignature.selector);
        vm.prank(executor);
        lazy.lockSigned(request, signature, 0, 0);
        assertEq(lazy.backingOf(executor).used, 0, "nothing at stake");
        assertLazy(idOf(request), LazyState.NONE);
    }

    /// @notice An account with code is asked, even where a signature by its address would be one without code.
    function test_attack_theKeyOfAnAccountThatGotCode() external {
        LazyRequest memory request = wantedNamed();
        bytes memory signature = signatureFor(request);
        vm.etch(requester, address(new OwnedWallet(stranger, true)).code);
        vm.expectPartialRevert(IRecordMarket.RecordMarket_InvalidSignature.selector);
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, signature, truth());
    }

    function _sign() private returns (LazyRequest memory request, bytes memory signature) {
        request = wanted();
        request.requester = address(wallet);
        signature = signatureFor(request);
    }
}
