// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SignatureValidator} from "../../src/SignatureValidator.sol";
import {ISignatureValidator} from "../../src/interfaces/ISignatureValidator.sol";
import {Base} from "../Base.t.sol";
import {Erc6492, OwnedWallet, WalletFactory} from "../Wallets.sol";

contract SignatureValidatorTest is Base {
    bytes32 internal constant DIGEST = keccak256("what is signed");
    /// @dev Order of secp256k1.
    uint256 internal constant N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    SignatureValidator internal validator;
    WalletFactory internal factory;
    address internal owner;
    uint256 internal ownerKey;

    function setUp() public {
        validator = new SignatureValidator();
        factory = new WalletFactory();
        (owner, ownerKey) = makeAddrAndKey("owner");
    }

    function test_anExternallyOwnedAccount() external {
        assertTrue(validator.isValidSignature(owner, DIGEST, _sign(DIGEST)), "its own");
        assertFalse(validator.isValidSignature(owner, keccak256("other"), _sign(DIGEST)), "of something else");
        assertFalse(validator.isValidSignature(makeAddr("other"), DIGEST, _sign(DIGEST)), "another's");
        assertFalse(validator.isValidSignature(address(0), DIGEST, new bytes(65)), "nobody's");
        assertFalse(validator.isValidSignature(owner, DIGEST, ""), "none");
    }

    function test_aSignatureHasOneSpelling() external {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(ownerKey, DIGEST);
        bytes32 upper = bytes32(N - uint256(s));
        assertFalse(validator.isValidSignature(owner, DIGEST, abi.encodePacked(r, upper, v == 27 ? 28 : 27)), "upper s");
        assertFalse(validator.isValidSignature(owner, DIGEST, abi.encodePacked(r, s, v - 27)), "v of 0 and 1");
        assertFalse(validator.isValidSignature(owner, DIGEST, abi.encodePacked(r, s, v, uint8(0))), "66 bytes");
        bytes32 compact = bytes32(uint256(s) | (v == 28 ? 1 << 255 : 0));
        assertFalse(validator.isValidSignature(owner, DIGEST, abi.encodePacked(r, compact)), "ERC-2098");
    }

    function testFuzz_noOtherBytesPass(bytes32 digest, bytes calldata signature) external {
        assertFalse(validator.isValidSignature(owner, digest, signature), "by chance");
    }

    function test_aContractAccount() external {
        OwnedWallet wallet = new OwnedWallet(owner, true);
        assertTrue(validator.isValidSignature(address(wallet), DIGEST, _sign(DIGEST)), "its owner's");
        assertFalse(validator.isValidSignature(address(wallet), keccak256("other"), _sign(DIGEST)), "something else");
        wallet.setOwner(makeAddr("other"));
        assertFalse(validator.isValidSignature(address(wallet), DIGEST, _sign(DIGEST)), "as it is now");
    }

    function test_anAccountWithoutTheFunction() external {
        assertFalse(
            validator.isValidSignature(address(factory), DIGEST, _sign(DIGEST)), "has code, and no such function"
        );
    }

    function test_anAccountThatIsNotThereYet() external {
        address wallet = factory.predict(owner, "salt");
        bytes memory data = abi.encodeCall(factory.deploy, (owner, "salt"));
        bytes memory wrapped = Erc6492.wrap(address(factory), data, _sign(DIGEST));
        assertTrue(validator.isValidSignature(wallet, DIGEST, wrapped), "valid before it is deployed");
        assertEq(wallet.code.length, 0, "and nothing is left behind");
        assertFalse(validator.isValidSignature(wallet, keccak256("other"), wrapped), "something else");
        assertFalse(validator.isValidSignature(makeAddr("other"), DIGEST, wrapped), "another account's");
        factory.deploy(owner, "salt");
        assertTrue(validator.isValidSignature(wallet, DIGEST, wrapped), "valid after it");
        OwnedWallet(wallet).setOwner(makeAddr("other"));
        assertFalse(validator.isValidSignature(wallet, DIGEST, wrapped), "and then as the account is");
    }

    function test_anAccountThatIsNotReady() external {
        OwnedWallet wallet = new OwnedWallet(owner, false);
        bytes memory wrapped = Erc6492.wrap(address(wallet), abi.encodeCall(wallet.prepare, ()), _sign(DIGEST));
        assertFalse(validator.isValidSignature(address(wallet), DIGEST, _sign(DIGEST)), "not ready");
        assertTrue(validator.isValidSignature(address(wallet), DIGEST, wrapped), "made ready");
        assertFalse(wallet.ready(), "for the question only");
    }

    function test_aDeploymentThatFails() external {
        bytes memory wrapped = Erc6492.wrap(address(factory), hex"00000000", _sign(DIGEST));
        assertFalse(validator.isValidSignature(factory.predict(owner, "salt"), DIGEST, wrapped), "no account");
        // ECDSA is not for wrapped signatures, also where the account has no code.
        assertFalse(validator.isValidSignature(owner, DIGEST, Erc6492.wrap(address(0), "", _sign(DIGEST))), "no code");
    }

    function testFuzz_malformedWrappersAreInvalid(bytes calldata junk) external {
        bytes memory wrapped = bytes.concat(junk, Erc6492.MAGIC);
        assertFalse(validator.isValidSignature(owner, DIGEST, wrapped), "junk");
    }

    function testFuzz_offsetsOutsideAreInvalid(uint256 beyond, uint256 length) external {
        OwnedWallet wallet = new OwnedWallet(owner, true);
        bytes memory signature = _sign(DIGEST);
        // Four words and 65 bytes: a part begins at 161 at the latest.
        beyond = bound(beyond, 162, type(uint256).max);
        length = bound(length, 66, type(uint256).max);
        _assertMalformed(wallet, abi.encodePacked(abi.encode(address(0), beyond, 96, 65), signature));
        _assertMalformed(wallet, abi.encodePacked(abi.encode(address(0), 96, beyond, 65), signature));
        _assertMalformed(wallet, abi.encodePacked(abi.encode(address(0), 96, 96, length), signature));
        _assertMalformed(wallet, abi.encodePacked(abi.encode(1 << 160, 96, 96, 65), signature));
        bytes memory whole = abi.encodePacked(abi.encode(address(0), 96, 96, 65), signature, Erc6492.MAGIC);
        assertTrue(validator.isValidSignature(address(wallet), DIGEST, whole), "but what is whole is");
    }

    function _assertMalformed(OwnedWallet wallet, bytes memory wrapped) private {
        wrapped = bytes.concat(wrapped, Erc6492.MAGIC);
        assertFalse(validator.isValidSignature(address(wallet), DIGEST, wrapped), "outside");
    }

    function test_prepareAndRevertAlwaysReverts() external {
        OwnedWallet wallet = new OwnedWallet(owner, true);
        bytes memory wrapped = abi.encode(address(0), "", _sign(DIGEST));
        bytes memory data = abi.encodeCall(validator.prepareAndRevert, (address(wallet), DIGEST, wrapped));
        (bool success, bytes memory answer) = address(validator).call(data);
        assertFalse(success, "reverts");
        assertEq(answer, hex"01", "with one byte");
    }

    function test_neverAnswersForWantOfGas() external {
        OwnedWallet wallet = new OwnedWallet(owner, true);
        bytes memory signature = _sign(DIGEST);
        (bool success, bytes memory answer) = address(validator).call{gas: 200_000}(
            abi.encodeCall(validator.isValidSignature, (address(wallet), DIGEST, signature))
        );
        assertFalse(success, "no answer");
        assertTrue(bytes4(answer) == ISignatureValidator.SignatureValidator_NotEnoughGas.selector, "and says why");
        bytes memory data = abi.encodeCall(factory.deploy, (owner, "salt"));
        bytes memory wrapped = Erc6492.wrap(address(factory), data, signature);
        address counterfactual = factory.predict(owner, "salt");
        (success, answer) = address(validator).call{gas: 2_000_000}(
            abi.encodeCall(validator.isValidSignature, (counterfactual, DIGEST, wrapped))
        );
        assertFalse(success, "no answer");
        assertTrue(bytes4(answer) == ISignatureValidator.SignatureValidator_NotEnoughGas.selector, "and says why");
    }

    function _sign(bytes32 digest) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(ownerKey, digest);
        return abi.encodePacked(r, s, v);
    }
}
