// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TraitNetwork} from "../TraitNetwork.t.sol";

/// @notice For any picture and any scores: the trait is the first of the highest scores, and what is set stays.
contract TraitTokenFuzz is TraitNetwork {
    function testFuzz_theTraitIsTheHighestScore(bytes32 seed, int32[10] memory scores, int32[10] memory later)
        external
    {
        bytes memory pixels = bytes.concat(seed, keccak256(abi.encode(seed)));
        uint256 tokenId = mintAs(artist, pixels);
        uint256 first = askAs(artist, tokenId, pixels);
        uint256 second = askAs(stranger, tokenId, pixels);
        _tell(first, scores);
        uint256 expected;
        for (uint256 i = 1; i < 10; ++i) {
            if (scores[i] > scores[expected]) expected = i;
        }
        assertEq(pictures.traitOf(tokenId), expected, "label");
        _tell(second, later);
        assertEq(pictures.traitOf(tokenId), expected, "for good");
    }

    /// @notice Numbers of different minters or pictures differ, and tell nothing else apart.
    function testFuzz_numbersBindMinterAndPicture(address one, address other, bytes32 a, bytes32 b) external view {
        assertEq(pictures.tokenIdOf(one, a) == pictures.tokenIdOf(other, b), one == other && a == b, "number");
    }

    function _tell(uint256 requestId, int32[10] memory scores) private {
        bytes memory output;
        for (uint256 i = 0; i < 10; ++i) {
            output = abi.encodePacked(output, scores[i]);
        }
        vm.prank(address(market));
        pictures.onInference(requestId, digitsVersion, address(pictures), 0, 0, output);
    }

    function assertEq(bool left, bool right, string memory reason) private pure {
        assertTrue(left == right, reason);
    }
}
