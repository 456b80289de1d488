// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {SignedRequest} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";
import {Erc6492} from "../Wallets.sol";

/// @dev A contract account that, while its signature is checked, calls what it was told to. Then it says yes.
contract ReenteringWallet {
    address private _target;
    bytes private _data;
    bool private _waits;
    bool private _entered;
    uint256 public calls;

    /// @param waits whether it says yes only once `enter` was called.
    function prepare(address target, bytes calldata data, bool waits) external {
        (_target, _data, _waits) = (target, data, waits);
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        if (_waits) return _entered ? this.isValidSignature.selector : bytes4(0);
        (bool success,) = _target.staticcall(_data);
        return success ? bytes4(0) : this.isValidSignature.selector;
    }

    /// @notice What an ERC-6492 signature calls: no static call.
    function enter() external {
        (bool success,) = _target.call(_data);
        _entered = true;
        if (success) ++calls;
    }

    /// @notice Acts as the account.
    function act(address target, bytes calldata data) external {
        (bool success,) = target.call(data);
        require(success, "failed");
    }
}

/// @notice Attack: a contract account re-enters the market while its signature is checked: to withdraw the deposit that
/// is about to be taken, to cancel the nonce, or to lock the same request twice. The market is entered already, and
/// nothing that foreign code did while it was asked remains.
contract WalletReentersMarketAttack is Network {
    ReenteringWallet internal wallet;
    SignedRequest internal signed;

    function setUp() public override {
        super.setUp();
        wallet = new ReenteringWallet();
        token.mint(address(wallet), PRICE);
        wallet.act(address(token), abi.encodeCall(token.approve, (address(market), PRICE)));
        wallet.act(address(market), abi.encodeCall(market.deposit, (PRICE)));
        signed = unsignedRequest(address(wallet), packedParams(), 1);
    }

    function test_withdrawsMeanwhile() external {
        _reenter(abi.encodeCall(market.withdraw, (PRICE, address(wallet))));
    }

    function test_cancelsMeanwhile() external {
        _reenter(abi.encodeCall(market.cancelNonces, (0, 2)));
    }

    function test_locksMeanwhile() external {
        stakeFor(address(wallet), COLLATERAL);
        _reenter(abi.encodeCall(market.lockSigned, (signed, "", 0, 0)));
    }

    function test_locksManyMeanwhile() external {
        stakeFor(address(wallet), COLLATERAL);
        bytes[] memory locks = new bytes[](1);
        locks[0] = abi.encodeCall(market.lockSigned, (signed, "", 0, 0));
        _reenter(abi.encodeCall(market.lockMany, (locks)));
    }

    function _reenter(bytes memory data) private {
        uint256 before = vm.snapshotState();
        // Asked statically: it says yes if the call inside fails.
        wallet.prepare(address(market), data, false);
        _locksOnce("");
        vm.revertToState(before);
        // Called as its own factory, with a call that may change things: it says yes afterwards.
        wallet.prepare(address(market), data, true);
        vm.expectCall(address(wallet), abi.encodeCall(wallet.enter, ()), 2);
        _locksOnce(Erc6492.wrap(address(wallet), abi.encodeCall(wallet.enter, ()), ""));
    }

    function _locksOnce(bytes memory signature) private {
        vm.prank(executor);
        uint256 requestId = market.lockSigned(signed, signature, 0, 0);
        assertEq(market.requestOf(requestId).executor, executor, "the lock is the executor's");
        assertEq(market.balanceOf(address(wallet)), 0, "the price was taken, once");
        assertEq(token.balanceOf(address(wallet)), 0, "and not withdrawn");
        assertEq(wallet.calls(), 0, "nothing that it did remains");
        assertEq(market.nonceWord(address(wallet), 0), 2, "its nonce is used");
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NonceUsed.selector, address(wallet), 1));
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
    }
}
