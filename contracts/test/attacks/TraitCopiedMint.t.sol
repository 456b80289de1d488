// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TraitToken} from "../../src/examples/TraitToken.sol";
import {TraitNetwork} from "../TraitNetwork.t.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";

/// @dev Mints the same picture again while it is told of the first.
contract GreedyReceiver is IERC721Receiver {
    TraitToken internal immutable PICTURES;
    bytes public refusal;

    constructor(TraitToken pictures) {
        PICTURES = pictures;
    }

    function mint(bytes32 digest) external returns (uint256) {
        return PICTURES.mint(digest);
    }

    function onERC721Received(address, address, uint256 tokenId, bytes calldata) external returns (bytes4) {
        try PICTURES.mint(PICTURES.pictureOf(tokenId)) returns (uint256) {
            refusal = "";
        } catch (bytes memory reason) {
            refusal = reason;
        }
        return IERC721Receiver.onERC721Received.selector;
    }
}

/// @notice Somebody sees a mint in the mempool and is faster, or mints one picture twice from within the first mint.
contract TraitCopiedMintAttack is TraitNetwork {
    function test_attack_aFasterMintTakesNothing() external {
        uint256 copied = mintAs(stranger, picture);
        uint256 tokenId = mintAs(artist, picture);
        assertTrue(copied != tokenId, "each minter has numbers of his own");
        assertEq(pictures.ownerOf(tokenId), artist, "the artist has his");
    }

    function test_attack_twiceFromWithin() external {
        GreedyReceiver receiver = new GreedyReceiver(pictures);
        uint256 tokenId = receiver.mint(keccak256(picture));
        assertEq(
            receiver.refusal(),
            abi.encodeWithSelector(IERC721Errors.ERC721InvalidSender.selector, address(0)),
            "the number is taken before the receiver is told"
        );
        assertEq(pictures.ownerOf(tokenId), address(receiver), "once");
        assertEq(pictures.balanceOf(address(receiver)), 1, "once");
    }
}
