// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ReceiptCourt} from "../../src/ReceiptCourt.sol";
import {Receipt, ReceiptFlaw} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice A receipt for one court, chain or fork is brought to another, where the same executor has the same pool.
contract ReceiptReplayAttack is CourtNetwork {
    function test_attack_onAnotherCourt() external {
        Receipt memory receipt = lie(0);
        bytes memory signature = sign(receipt);
        court = new ReceiptCourt(address(verifier), address(staking), courtLimits());
        backCourt(executor, COURT_STAKE, receiptKey);
        openPool(executor, epoch, CAPACITY);
        depositAtCourt(challenger, MAX_CHALLENGE_BOND);
        _expectForeign(receipt, signature);
        // Signed for this court it would be good.
        assertFlaw(receipt, ReceiptFlaw.NONE);
    }

    function test_attack_onAnotherChain() external {
        Receipt memory receipt = lie(0);
        bytes memory signature = sign(receipt);
        uint256 here = block.chainid;
        vm.chainId(here + 1); // a fork: everything is the same but the id
        _expectForeign(receipt, signature);
        assertFlaw(receipt, ReceiptFlaw.NONE);
        vm.chainId(here);
        assertEq(uint256(court.flawOf(receipt, signature)), uint256(ReceiptFlaw.NONE), "at home it is good");
    }

    function test_attack_underAnotherType() external view {
        // The bare struct hash, or the digest of another domain's separator, is not what is signed.
        Receipt memory receipt = lie(0);
        bytes32 digest = keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", court.digestOf(receipt)));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(receiptPrivateKey, digest);
        assertEq(
            uint256(court.flawOf(receipt, abi.encodePacked(r, s, v))),
            uint256(ReceiptFlaw.FOREIGN_SIGNATURE),
            "a personal message is no receipt"
        );
    }

    /// @dev A commitment made at one court opens nothing at another: it holds the digest, which holds the court.
    function test_attack_digestsDifferBetweenCourts() external {
        bytes32 here = court.digestOf(lie(0));
        ReceiptCourt other = new ReceiptCourt(address(verifier), address(staking), courtLimits());
        assertTrue(here != other.digestOf(lie(0)), "digests hold the court");
    }

    function _expectForeign(Receipt memory receipt, bytes memory signature) private {
        assertEq(uint256(court.flawOf(receipt, signature)), uint256(ReceiptFlaw.FOREIGN_SIGNATURE), "not signed here");
        uint256 claimId = committed(challenger, receipt);
        bytes memory input = inputOf(0);
        expectRefusal(ReceiptFlaw.FOREIGN_SIGNATURE);
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
    }
}
