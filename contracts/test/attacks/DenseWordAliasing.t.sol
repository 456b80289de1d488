// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IHalo2Verifier} from "../../src/interfaces/IHalo2Verifier.sol";
import {DenseWords} from "../../src/libraries/DenseWords.sol";
import {PackedTensor} from "../../src/libraries/PackedTensor.sol";
import {RegistryRules} from "../../src/libraries/RegistryRules.sol";
import {Network} from "../Network.t.sol";

/// @notice A dense word and the word plus r are the same field element: were both spellable, one proof would fit two
/// rows.
contract DenseWordAliasingAttack is Network {
    Fixture internal dense;

    function setUp() public override {
        super.setUp();
        loadFixture(dense, "dense");
    }

    function test_attack_theSharedVerifierRefusesEveryAliasOfAWord() external {
        IHalo2Verifier(halo2).registerVka(dense.vka);
        uint256[] memory words = new uint256[](2);
        words[0] = _word(dense.cases[0].input, 2);
        words[1] = _word(dense.cases[0].output, 4);
        assertTrue(_accepts(words), "the words as they are");
        for (uint256 i = 0; i < 2; ++i) {
            uint256 kept = words[i];
            for (uint256 alias_ = kept; type(uint256).max - alias_ >= PackedTensor.FIELD_MODULUS;) {
                alias_ += PackedTensor.FIELD_MODULUS;
                words[i] = alias_;
                assertFalse(_accepts(words), "an alias passed");
            }
            words[i] = kept;
        }
        assertTrue(_accepts(words), "and again");
    }

    /// @notice The largest word that any published circuit can have is below r, so that the packed form spells none.
    function test_attack_noRowSpellsAnAlias() external pure {
        assertLe(uint256(1) << RegistryRules.MAX_WORD_BITS, PackedTensor.FIELD_MODULUS, "2^253 <= r");
        assertGe(uint256(1) << (RegistryRules.MAX_WORD_BITS + 1), PackedTensor.FIELD_MODULUS, "and 2^254 is not");
        assertEq(DenseWords.wordCount(13, 6), 3, "rounded up");
    }

    /// @dev The rule by hand: sum of (x + 2^(8w-1)) * 2^(32 i).
    function _word(bytes memory row, uint256 width) private pure returns (uint256 word) {
        for (uint256 i = 0; i < row.length / width; ++i) {
            uint256 digit;
            for (uint256 j = 0; j < width; ++j) {
                digit = digit * 256 + uint8(row[i * width + j]);
            }
            digit = (digit + (1 << (8 * width - 1))) % (1 << (8 * width));
            word += digit << (32 * i);
        }
    }

    function _accepts(uint256[] memory words) private returns (bool success) {
        (success,) = halo2.call(abi.encodeCall(IHalo2Verifier.verifyProof, (dense.cases[0].proof, words, dense.vka)));
    }
}
