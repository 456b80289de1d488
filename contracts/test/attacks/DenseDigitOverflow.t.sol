// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IHalo2Verifier} from "../../src/interfaces/IHalo2Verifier.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {PublicWords} from "../../src/libraries/PublicWords.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {Network} from "../Network.t.sol";

/// @dev The words of packed rows, behind a calldata boundary.
contract WordMaker {
    function words(PublicWords.Spelling memory spelling, bytes calldata packed, bytes memory schema, uint256 from)
        external
        pure
        returns (uint256[] memory made)
    {
        (uint256 count,,) = PublicWords.extent(spelling, schema, from, from + 1);
        made = new uint256[](count);
        uint256 destination;
        assembly ("memory-safe") {
            destination := add(made, 0x20)
        }
        PublicWords.write(spelling, packed, schema, from, from + 1, destination);
    }
}

/// @notice A digit larger than its place would run into the next one, and one word would stand for two rows. The
/// circuit itself allows digits up to 2^digitBits, more than a value's width holds: a proof for such a value exists.
contract DenseDigitOverflowAttack is Network {
    Fixture internal dense;
    uint64 internal version;
    uint256[] internal words;
    bytes internal proof;
    WordMaker internal maker = new WordMaker();

    function setUp() public override {
        super.setUp();
        loadFixture(dense, "dense");
        verifier.registerVka(dense.vka);
        vm.prank(builder);
        version = registry.publishVersion(modelId, publication(dense, 0));
        string memory json = vm.readFile("contracts/test/fixtures/dense.json");
        bytes32[] memory read = vm.parseJsonBytes32Array(json, ".overflow.words");
        for (uint256 i = 0; i < read.length; ++i) {
            words.push(uint256(read[i]));
        }
        proof = vm.parseJsonBytes(json, ".overflow.proof");
    }

    /// @notice The proof is good: of x = 32,768, one more than 16 bits hold, beside three values of 5.
    function test_theCircuitProvesAValueBeyondTheWidth() external {
        assertEq(words[0] & type(uint32).max, 0x10000, "the digit is 2^16");
        (bool success,) = halo2.call(abi.encodeCall(IHalo2Verifier.verifyProof, (proof, words, dense.vka)));
        assertTrue(success, "accepted by the shared verifier");
    }

    /// @notice But no packed input spells it: neither cut, nor at the ends of the range, nor with a neighbour carried.
    function test_attack_noPackedInputSpellsTheOverflow() external {
        bytes memory output = _output();
        bytes[6] memory claims = [
            bytes(hex"8000000500050005"), // cut to 16 bits
            hex"7fff000500050005", // the highest value
            hex"0000000500050005",
            hex"ffff000500050005",
            hex"8000000600050005", // carried into the next digit
            hex"0001000500050005"
        ];
        for (uint256 i = 0; i < claims.length; ++i) {
            vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
            verifier.verify(version, 0, claims[i], output, proof);
        }
    }

    /// @notice Whatever is packed, its digits stay below 2^16: the word of the overflow is never made.
    function testFuzz_noPackedRowMakesADigitBeyondItsWidth(uint64 row) external view {
        bytes memory packedRow = abi.encodePacked(row);
        uint256 word = maker.words(_spelling(32, 6), packedRow, dense.ioSchema, 0)[0];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 digit = (word >> (32 * i)) & type(uint32).max;
            assertLe(digit, type(uint16).max, "a digit of 16 bits");
            assertEq(digit, uint16(row >> (48 - 16 * i)) ^ 0x8000, "of its own value");
        }
        assertEq(word >> 128, 0, "and nothing above");
    }

    /// @notice With digits narrower than a tensor's width two rows would share a word; the registry takes no such
    /// circuit.
    function test_attack_digitsThatOverlap() external {
        bytes memory schema = hex"0101040700000002040e00000003";
        // Shifted by 2^31: (2^16, 0) and (0, 1) in digits of 16 bits.
        uint256 first = maker.words(_spelling(16, 2), hex"8001000080000000", schema, 0)[0];
        uint256 second = maker.words(_spelling(16, 2), hex"8000000080000001", schema, 0)[0];
        assertEq(first, second, "two rows, one word");
        VersionParams memory params = publication(dense, 0);
        params.ioSchema = schema;
        (params.circuits[0].digitBits, params.circuits[0].digitsPerWord) = (16, 2);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidDigits.selector, 0, 16, 2));
        vm.prank(builder);
        registry.publishVersion(modelId, params);
        (params.circuits[0].digitBits, params.circuits[0].digitsPerWord) = (32, 2);
        vm.prank(builder);
        registry.publishVersion(modelId, params);
        first = maker.words(_spelling(32, 2), hex"8001000080000000", schema, 0)[0];
        second = maker.words(_spelling(32, 2), hex"8000000080000001", schema, 0)[0];
        assertTrue(first != second, "with digits wide enough they differ");
    }

    /// @dev The output that belongs to the overflow, read from its word.
    function _output() private view returns (bytes memory output) {
        for (uint256 i = 0; i < 3; ++i) {
            output = abi.encodePacked(output, uint32(words[1] >> (32 * i)) ^ uint32(0x80000000));
        }
    }

    function _spelling(uint256 digitBits, uint256 digitsPerWord) private pure returns (PublicWords.Spelling memory) {
        return PublicWords.Spelling(1, digitBits, digitsPerWord);
    }
}
