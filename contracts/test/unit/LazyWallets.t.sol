// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {LazyClaim, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";
import {Erc6492, OwnedWallet, WalletFactory} from "../Wallets.sol";

/// @title Requesters of all kinds: accounts without code, with code, and not there yet
contract LazyWalletsTest is LazyNetwork {
    function test_aContractAccountSigns() external {
        OwnedWallet wallet = new OwnedWallet(requester, true);
        _answeredAndPaid(address(wallet), "", false);
    }

    function test_aContractAccountSends() external {
        OwnedWallet wallet = new OwnedWallet(requester, true);
        depositLazy(address(wallet), PRICE);
        LazyRequest memory request = wanted();
        request.requester = address(wallet);
        vm.prank(requester);
        wallet.execute(address(lazy), abi.encodeCall(lazy.request, (request, "")));
        assertLazy(idOf(request), LazyState.OPEN);
        // Its own account pays and is refunded, not its owner's.
        vm.prank(requester);
        wallet.execute(address(lazy), abi.encodeCall(lazy.cancel, (request)));
        assertEq(lazy.balanceOf(address(wallet)), PRICE, "back where it came from");
    }

    function test_anAccountThatIsNotReadyIsPreparedToBeAsked() external {
        OwnedWallet wallet = new OwnedWallet(requester, false);
        _answeredAndPaid(address(wallet), abi.encode(address(wallet), abi.encodeCall(wallet.prepare, ())), true);
        assertFalse(wallet.ready(), "and is as it was after it");
    }

    function test_anAccountThatIsNotThereYet() external {
        WalletFactory factory = new WalletFactory();
        address account = factory.predict(requester, SALT);
        _answeredAndPaid(account, abi.encode(address(factory), abi.encodeCall(factory.deploy, (requester, SALT))), true);
        assertEq(account.code.length, 0, "still not there");
    }

    function test_anotherOwnersSignatureIsNone() external {
        OwnedWallet wallet = new OwnedWallet(stranger, true);
        depositLazy(address(wallet), PRICE);
        LazyRequest memory request = wantedNamed();
        request.requester = address(wallet);
        bytes memory signature = signatureFor(request);
        vm.expectRevert(
            abi.encodeWithSelector(IRecordMarket.RecordMarket_InvalidSignature.selector, idOf(request), address(wallet))
        );
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, signature, truth());
    }

    /// @dev Signed by the account's owner, answered, final, and paid from the account's own deposit.
    /// @param wrapper abi.encode(address, bytes) of an ERC-6492 signature.
    function _answeredAndPaid(address account, bytes memory wrapper, bool isWrapped) private {
        depositLazy(account, PRICE);
        LazyRequest memory request = wantedNamed();
        request.requester = account;
        bytes memory signature = signatureFor(request);
        if (isWrapped) {
            (address to, bytes memory data) = abi.decode(wrapper, (address, bytes));
            signature = Erc6492.wrap(to, data, signature);
        }
        LazyClaim memory claim = claimNow(request, executor, PRICE, truth());
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, signature, truth());
        assertEq(lazy.balanceOf(account), 0, "its own deposit");
        finalized(claim);
        assertEq(lazy.balanceOf(executor), PRICE - PRICE / 10, "paid");
        assertEq(lazy.balanceOf(requester), DEPOSIT, "not its owner's deposit");
    }
}
