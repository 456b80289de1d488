// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SignatureValidator} from "../../src/SignatureValidator.sol";
import {TestDollar} from "../../src/development/TestDollar.sol";
import {Base} from "../Base.t.sol";
import {Erc6492, OwnedWallet} from "../Wallets.sol";

/// @notice Attack: an ERC-6492 signature names the token as its factory, so that the validator calls it. The validator
/// owns nothing, and even what somebody gave or allowed it by mistake stays, since whatever the call did is undone.
contract SignatureFactoryCallsTokenAttack is Base {
    bytes32 internal constant DIGEST = keccak256("what is signed");

    SignatureValidator internal validator;
    TestDollar internal token;
    address internal victim;
    address internal attacker;
    OwnedWallet internal wallet;
    bytes internal forged;

    function setUp() public {
        validator = new SignatureValidator();
        token = new TestDollar();
        victim = makeAddr("victim");
        uint256 key;
        (attacker, key) = makeAddrAndKey("attacker");
        wallet = new OwnedWallet(attacker, true);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, DIGEST);
        forged = abi.encodePacked(r, s, v == 27 ? 28 : 27); // invalid, so that the call is tried
        // The worst case: an allowance and tokens that should never have been there.
        token.mint(victim, 100);
        token.mint(address(validator), 100);
        vm.prank(victim);
        token.approve(address(validator), 100);
    }

    function test_takesNothingFromTheVictim() external {
        _try(abi.encodeCall(token.transferFrom, (victim, attacker, 100)));
    }

    function test_takesNothingFromTheValidator() external {
        _try(abi.encodeCall(token.transfer, (attacker, 100)));
    }

    function test_leavesNoAllowance() external {
        _try(abi.encodeCall(token.approve, (attacker, type(uint256).max)));
    }

    function _try(bytes memory data) private {
        // The call itself is one that works.
        uint256 before = vm.snapshotState();
        vm.prank(address(validator));
        (bool success,) = address(token).call(data);
        assertTrue(success, "would work");
        vm.revertToState(before);

        vm.expectCall(address(token), data, 1);
        validator.isValidSignature(address(wallet), DIGEST, Erc6492.wrap(address(token), data, forged));
        assertEq(token.balanceOf(victim), 100, "the victim's");
        assertEq(token.balanceOf(address(validator)), 100, "what was lost there");
        assertEq(token.allowance(address(validator), attacker), 0, "no allowance");
        assertEq(token.balanceOf(attacker), 0, "nothing gained");
    }
}
