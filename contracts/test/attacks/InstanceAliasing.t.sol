// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IHalo2Verifier} from "../../src/interfaces/IHalo2Verifier.sol";
import {PackedTensor} from "../../src/libraries/PackedTensor.sol";
import {Network} from "../Network.t.sol";

/// @notice One value, two spellings: x and x + r are the same field element, so one proof would fit two outputs.
contract InstanceAliasingAttack is Network {
    function test_attack_theSharedVerifierRefusesEveryAlias() external {
        uint256[] memory instances = _instances();
        assertTrue(_accepts(instances), "the canonical instances pass");
        for (uint256 i = 0; i < instances.length; ++i) {
            uint256 kept = instances[i];
            // Every multiple of r that still fits a word.
            for (uint256 alias_ = kept; type(uint256).max - alias_ >= PackedTensor.FIELD_MODULUS;) {
                alias_ += PackedTensor.FIELD_MODULUS;
                instances[i] = alias_;
                assertFalse(_accepts(instances), "an alias passed");
            }
            instances[i] = kept;
        }
        assertTrue(_accepts(instances), "and pass again");
    }

    function test_attack_thePackedFormCannotSpellAnAlias() external pure {
        // The widest element holds less than r in size on either side of zero, so two elements of one width that are
        // equal modulo r are equal: their difference is below 2^129, and r is above.
        assertLe(uint256(1) << 129, PackedTensor.FIELD_MODULUS, "no two 16-byte integers differ by r");
    }

    function _accepts(uint256[] memory instances) private returns (bool success) {
        (success,) =
            halo2.call(abi.encodeCall(IHalo2Verifier.verifyProof, (packed.cases[0].proof, instances, packed.vka)));
    }

    /// @dev The public values of case 0 by hand: 0xff8d010a0075ffab, then 0, 0x3219, 0xbe0.
    function _instances() private pure returns (uint256[] memory instances) {
        uint256 r = PackedTensor.FIELD_MODULUS;
        instances = new uint256[](7);
        instances[0] = r - 0x73;
        instances[1] = 0x10a;
        instances[2] = 0x75;
        instances[3] = r - 0x55;
        instances[5] = 0x3219;
        instances[6] = 0xbe0;
    }
}
