// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SignatureValidator} from "../../src/SignatureValidator.sol";
import {Base} from "../Base.t.sol";
import {Erc6492} from "../Wallets.sol";

/// @dev Answers as it was told to.
contract MaliciousWallet {
    enum Kind {
        BURNS_GAS,
        RETURN_BOMB,
        REVERT_BOMB,
        SHORT_ANSWER,
        PADDED_MAGIC,
        WRITES
    }

    Kind public kind;
    uint256 public writes;

    constructor(Kind kind_) {
        kind = kind_;
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        Kind now_ = kind;
        if (now_ == Kind.BURNS_GAS) while (true) {}
        if (now_ == Kind.WRITES) {
            ++writes;
            return 0x1626ba7e;
        }
        assembly ("memory-safe") {
            mstore(0, shl(224, 0x1626ba7e))
            if eq(now_, 1) { return(0, 100000) }
            if eq(now_, 2) { revert(0, 100000) }
            if eq(now_, 3) { return(0, 4) }
            mstore(0, or(shl(224, 0x1626ba7e), 1))
            return(0, 32)
        }
    }
}

/// @notice Attack: a contract account that burns the gas of whoever asks it, returns a bomb, answers half a word, or
/// tries to change something while it is asked.
contract MaliciousWalletAttack is Base {
    bytes32 internal constant DIGEST = keccak256("what is signed");
    SignatureValidator internal validator;

    function setUp() public {
        validator = new SignatureValidator();
    }

    function test_gasIsBounded() external {
        _costs(MaliciousWallet.Kind.BURNS_GAS, false);
    }

    function test_aReturnBombCostsItsOwnGas() external {
        // It says yes in its first word: that is all that is read of it.
        _costs(MaliciousWallet.Kind.RETURN_BOMB, true);
        _costs(MaliciousWallet.Kind.REVERT_BOMB, false);
    }

    function test_onlyTheWholeMagicWordIsYes() external {
        _costs(MaliciousWallet.Kind.SHORT_ANSWER, false);
        _costs(MaliciousWallet.Kind.PADDED_MAGIC, false);
    }

    function test_nothingIsWrittenWhileItIsAsked() external {
        MaliciousWallet wallet = new MaliciousWallet(MaliciousWallet.Kind.WRITES);
        assertFalse(validator.isValidSignature(address(wallet), DIGEST, ""), "a static call");
        assertEq(wallet.writes(), 0, "nothing written");
    }

    function test_aFactoryThatBurnsGasIsBounded() external {
        MaliciousWallet wallet = new MaliciousWallet(MaliciousWallet.Kind.BURNS_GAS);
        bytes memory data = abi.encodeWithSignature("isValidSignature(bytes32,bytes)", DIGEST, "");
        uint256 before = gasleft();
        bool valid = validator.isValidSignature(makeAddr("nobody"), DIGEST, Erc6492.wrap(address(wallet), data, ""));
        assertFalse(valid, "no account");
        assertLe(before - gasleft(), validator.PREPARE_GAS() + validator.ERC1271_GAS() + 100_000, "bounded");
    }

    function _costs(MaliciousWallet.Kind kind, bool expected) private {
        MaliciousWallet wallet = new MaliciousWallet(kind);
        uint256 before = gasleft();
        bool valid = validator.isValidSignature(address(wallet), DIGEST, "");
        uint256 used = before - gasleft();
        assertTrue(valid == expected, "its answer");
        assertLe(used, validator.ERC1271_GAS() + 50_000, "bounded");
    }
}
