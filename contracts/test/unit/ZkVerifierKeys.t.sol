// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ZkVerifier} from "../../src/ZkVerifier.sol";
import {IHalo2Verifier} from "../../src/interfaces/IHalo2Verifier.sol";
import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {CodeStore} from "../../src/libraries/CodeStore.sol";
import {Network} from "../Network.t.sol";

contract ZkVerifierKeysTest is Network {
    ZkVerifier internal fresh;

    function setUp() public override {
        super.setUp();
        fresh = new ZkVerifier(address(registry), halo2, developmentG2());
    }

    function test_constructorKeepsItsParts() external view {
        assertEq(fresh.registry(), address(registry), "registry");
        assertEq(fresh.halo2Verifier(), halo2, "halo2 verifier");
        assertEq(abi.encode(fresh.acceptedG2()), abi.encode(developmentG2()), "accepted SRS");
    }

    function test_constructorRefusesAccountsWithoutCode() external {
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_NoCodeAt.selector, stranger));
        new ZkVerifier(stranger, halo2, developmentG2());
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_NoCodeAt.selector, stranger));
        new ZkVerifier(address(registry), stranger, developmentG2());
    }

    function test_selectorsAreThoseOfTheGeneratedVerifier() external pure {
        assertEq(bytes32(IHalo2Verifier.verifyProof.selector), bytes32(bytes4(0x3409fc9f)), "verifyProof");
        assertEq(bytes32(IHalo2Verifier.registerVka.selector), bytes32(bytes4(0xdc8b4094)), "registerVka");
    }

    function test_storesTheKeyAsCodeThatCannotRun() external {
        assertFalse(fresh.isRegistered(packed.vkaDigest), "unknown before");
        bytes32 digest = fresh.registerVka(packed.vka);
        assertEq(digest, packed.vkaDigest, "digest as computed off chain");
        assertTrue(fresh.isRegistered(digest), "known after");
        address pointer = fresh.vkaPointer(digest);
        bytes memory code = pointer.code;
        assertEq(code, bytes.concat(hex"00", abi.encodePacked(packed.vka)), "STOP and the words");
        (bool success, bytes memory returned) = pointer.call(hex"12345678");
        assertTrue(success && returned.length == 0, "running it stops at once");
    }

    function test_registrationIsIdempotentAndOpen() external {
        vm.expectEmit(true, false, false, false, address(fresh));
        emit IZkVerifier.VkaRegistered(packed.vkaDigest, address(0), 126);
        vm.prank(stranger);
        fresh.registerVka(packed.vka);
        address pointer = fresh.vkaPointer(packed.vkaDigest);
        vm.recordLogs();
        vm.prank(builder);
        assertEq(fresh.registerVka(packed.vka), packed.vkaDigest, "same digest");
        assertEq(vm.getRecordedLogs().length, 0, "nothing happens twice");
        assertEq(fresh.vkaPointer(packed.vkaDigest), pointer, "same code");
    }

    function test_refusesAKeyTooShort() external {
        bytes32[] memory words = new bytes32[](31);
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_VkaTooShort.selector, 31));
        fresh.registerVka(words);
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_VkaTooShort.selector, 0));
        fresh.registerVka(new bytes32[](0));
    }

    function test_refusesAKeyBeyondTheCodeLimit() external {
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_VkaTooLong.selector, 768));
        fresh.registerVka(_padded(768));
        bytes32 digest = fresh.registerVka(_padded(767));
        assertEq(fresh.vkaPointer(digest).code.length, 767 * 32 + 1, "the longest that fits");
    }

    function test_refusesEveryOtherSrsWord() external {
        bytes32[] memory words = packed.vka;
        for (uint256 i = 14; i < 24; ++i) {
            bytes32 kept = words[i];
            words[i] = bytes32(uint256(kept) ^ 1);
            vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_ForeignSrs.selector, i));
            fresh.registerVka(words);
            words[i] = kept;
        }
        fresh.registerVka(words);
    }

    function test_tooLittleGasStoresNothing() external {
        // The creation runs out of gas and the 64th that is kept back suffices to say so: no half-written key.
        bytes memory data = abi.encodeCall(fresh.registerVka, (packed.vka));
        uint256 refusals;
        for (uint256 gasGiven = 500_000; gasGiven < 900_000; gasGiven += 100_000) {
            (bool success, bytes memory result) = address(fresh).call{gas: gasGiven}(data);
            assertFalse(success, "not with this little gas");
            if (keccak256(result) == keccak256(abi.encodePacked(CodeStore.CodeStore_CreationFailed.selector))) {
                ++refusals;
            }
            assertFalse(fresh.isRegistered(packed.vkaDigest), "nothing stored");
        }
        assertTrue(refusals != 0, "with its name");
        fresh.registerVka(packed.vka);
    }

    function _padded(uint256 length) private view returns (bytes32[] memory words) {
        words = new bytes32[](length);
        for (uint256 i = 0; i < packed.vka.length; ++i) {
            words[i] = packed.vka[i];
        }
    }
}
