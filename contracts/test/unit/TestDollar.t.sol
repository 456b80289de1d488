// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TestDollar} from "../../src/development/TestDollar.sol";
import {Permit} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";

contract TestDollarTest is Network {
    bytes32 internal constant NONCE = keccak256("nonce");
    bytes32 internal constant TRANSFER = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 internal constant RECEIVE = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 internal constant CANCEL = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

    function test_metadata() external view {
        assertEq(token.name(), "Test Dollar", "name");
        assertEq(token.symbol(), "tUSD", "symbol");
        assertEq(token.decimals(), 6, "decimals");
    }

    function test_anyoneMintsUpToTheCap() external {
        uint256 cap = token.MAX_MINT();
        vm.prank(stranger);
        token.mint(stranger, cap);
        assertEq(token.balanceOf(stranger), cap, "minted");
        vm.expectRevert(abi.encodeWithSelector(TestDollar.TestDollar_MintTooHigh.selector, cap + 1, cap));
        token.mint(stranger, cap + 1);
    }

    function test_permits() external {
        Permit memory permit = permitFor(requesterKey, stranger, 5, block.timestamp);
        token.permit(requester, stranger, 5, permit.deadline, permit.v, permit.r, permit.s);
        assertEq(token.allowance(requester, stranger), 5, "allowance");
    }

    function test_transfersWithAuthorizationOnce() external {
        token.mint(requester, 10);
        (uint8 v, bytes32 r, bytes32 s) = _authorize(TRANSFER, stranger, 10);
        uint256 until = block.timestamp + 1;
        assertFalse(token.authorizationState(requester, NONCE), "unused");
        vm.prank(builder); // anybody carries it
        token.transferWithAuthorization(requester, stranger, 10, 0, until, NONCE, v, r, s);
        assertEq(token.balanceOf(stranger), 10, "paid");
        assertTrue(token.authorizationState(requester, NONCE), "used");
        vm.expectRevert(abi.encodeWithSelector(ERC3009.ERC3009UsedAuthorization.selector, requester, NONCE));
        token.transferWithAuthorization(requester, stranger, 10, 0, until, NONCE, v, r, s);
    }

    function test_authorizationsExpire() external {
        (uint8 v, bytes32 r, bytes32 s) = _authorize(TRANSFER, stranger, 10);
        uint256 until = block.timestamp + 1;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(ERC3009.ERC3009InvalidAuthorizationTime.selector, 0, until));
        token.transferWithAuthorization(requester, stranger, 10, 0, until, NONCE, v, r, s);
    }

    function test_onlyTheReceiverUsesAReceiveAuthorization() external {
        token.mint(requester, 10);
        (uint8 v, bytes32 r, bytes32 s) = _authorize(RECEIVE, stranger, 10);
        uint256 until = block.timestamp + 1;
        vm.expectRevert();
        vm.prank(builder);
        token.receiveWithAuthorization(requester, stranger, 10, 0, until, NONCE, v, r, s);
        vm.prank(stranger);
        token.receiveWithAuthorization(requester, stranger, 10, 0, until, NONCE, v, r, s);
        assertEq(token.balanceOf(stranger), 10, "paid");
    }

    function test_authorizationsAreCancelled() external {
        (uint8 v, bytes32 r, bytes32 s) = _sign(keccak256(abi.encode(CANCEL, requester, NONCE)));
        token.cancelAuthorization(requester, NONCE, v, r, s);
        (v, r, s) = _authorize(TRANSFER, stranger, 10);
        vm.expectRevert(abi.encodeWithSelector(ERC3009.ERC3009UsedAuthorization.selector, requester, NONCE));
        token.transferWithAuthorization(requester, stranger, 10, 0, block.timestamp + 1, NONCE, v, r, s);
    }

    function test_refusesForgedAuthorizations() external {
        (uint8 v, bytes32 r, bytes32 s) = _authorize(TRANSFER, stranger, 10);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        token.transferWithAuthorization(requester, stranger, 11, 0, block.timestamp + 1, NONCE, v, r, s);
    }

    function _authorize(bytes32 kind, address to, uint256 value) private view returns (uint8 v, bytes32 r, bytes32 s) {
        return _sign(keccak256(abi.encode(kind, requester, to, value, 0, block.timestamp + 1, NONCE)));
    }

    function _sign(bytes32 structHash) private view returns (uint8 v, bytes32 r, bytes32 s) {
        return vm.sign(requesterKey, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), structHash)));
    }
}
