// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";
import {Erc6492, WalletFactory} from "../Wallets.sol";

/// @notice Attack: an ERC-6492 signature names the token, the market or the court as the factory of its account, to
/// have something done in the name of whoever checks it. The validator calls, which has no money, no allowance and no
/// right; and
/// whatever the call did is undone.
contract LazyFactoryCallsTokenAttack is LazyNetwork {
    function test_attack_theFactoryIsTheToken() external {
        _refused(
            address(token), abi.encodeWithSignature("transferFrom(address,address,uint256)", requester, stranger, 1)
        );
        _refused(address(token), abi.encodeWithSignature("approve(address,uint256)", stranger, type(uint256).max));
        assertEq(token.allowance(address(validator), stranger), 0, "no allowance");
        assertEq(token.allowance(address(lazy), stranger), 0, "none of the market");
    }

    function test_attack_theFactoryIsTheMarketOrItsCourt() external {
        _refused(address(lazy), abi.encodeCall(lazy.withdraw, (1, stranger)));
        _refused(address(lazy), abi.encodeCall(lazy.cancelNonces, (0, type(uint256).max)));
        _refused(address(court), abi.encodeCall(court.commitChallenge, (SALT)));
        assertEq(lazy.nonceWord(address(validator), 0), 0, "undone, or never done");
    }

    /// @notice What it is for: an account that is not there yet asks, and is paid for.
    function test_aWalletThatIsNotDeployedYet() external {
        WalletFactory factory = new WalletFactory();
        address account = factory.predict(requester, SALT);
        depositLazy(account, PRICE);
        LazyRequest memory request = wantedNamed();
        request.requester = account;
        bytes memory wrapped =
            Erc6492.wrap(address(factory), abi.encodeCall(factory.deploy, (requester, SALT)), signatureFor(request));
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, wrapped, truth());
        assertLazy(idOf(request), LazyState.ANSWERED);
        assertEq(account.code.length, 0, "and is not there after it");
    }

    function _refused(address factory, bytes memory data) private {
        LazyRequest memory request = wantedNamed();
        request.requester = makeAddr("an account that is nowhere");
        bytes memory wrapped = Erc6492.wrap(factory, data, signatureFor(request));
        LazyMoney memory before = lazyMoney();
        vm.expectPartialRevert(IRecordMarket.RecordMarket_InvalidSignature.selector);
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, wrapped, truth());
        assertNothingMoved(before);
    }
}
