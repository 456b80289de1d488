// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TraitToken} from "../../src/examples/TraitToken.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {TraitNetwork} from "../TraitNetwork.t.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";

contract TraitTokenTest is TraitNetwork {
    /// @dev What the fixture's two images show, read off its highest scores by hand.
    uint8 internal constant LABEL0 = 1;
    uint8 internal constant LABEL1 = 5;

    /// @notice Two real images of digits, classified by real proofs.
    function test_fromPictureToTrait() external {
        uint8[2] memory labels = [LABEL0, LABEL1];
        for (uint256 i = 0; i < 2; ++i) {
            uint256 tokenId = mintAs(artist, digits.cases[i].input);
            vm.expectRevert(abi.encodeWithSelector(TraitToken.TraitToken_NoTrait.selector, tokenId));
            pictures.traitOf(tokenId);
            uint256 requestId = askAs(artist, tokenId, digits.cases[i].input);
            lockBy(executor, requestId);
            nextBlock();
            vm.expectEmit(address(pictures));
            emit TraitToken.TraitSet(tokenId, requestId, labels[i]);
            vm.expectEmit(address(pictures));
            emit IERC4906.MetadataUpdate(tokenId);
            fulfillBy(executor, requestId, digits, i);
            assertEq(pictures.traitOf(tokenId), labels[i], "label");
        }
    }

    function test_mintsTheCallersPicture() external {
        vm.expectEmit(address(pictures));
        emit TraitToken.Minted(pictures.tokenIdOf(artist, keccak256(picture)), artist, keccak256(picture));
        uint256 tokenId = mintAs(artist, picture);
        assertEq(pictures.ownerOf(tokenId), artist, "owner");
        assertEq(pictures.pictureOf(tokenId), keccak256(picture), "picture");
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InvalidSender.selector, address(0)));
        mintAs(artist, picture);
        vm.expectRevert(TraitToken.TraitToken_ZeroDigest.selector);
        pictures.mint(0);
    }

    function test_theTraitStaysWithTheToken() external {
        uint256 tokenId = mintAs(artist, picture);
        answer(askAs(artist, tokenId, picture), 0);
        vm.prank(artist);
        pictures.transferFrom(artist, stranger, tokenId);
        assertEq(pictures.traitOf(tokenId), LABEL0, "label");
        vm.expectRevert(abi.encodeWithSelector(TraitToken.TraitToken_TraitIsSet.selector, tokenId));
        askAs(stranger, tokenId, picture);
    }

    function test_tellsWhatItIs() external {
        uint256 tokenId = mintAs(artist, picture);
        string memory name = vm.toString(keccak256(picture));
        assertEq(pictures.tokenURI(tokenId), _uri(name, ""), "before");
        answer(askAs(artist, tokenId, picture), 0);
        assertEq(pictures.tokenURI(tokenId), _uri(name, '{"trait_type":"label","value":"1"}'), "after");
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 1));
        pictures.tokenURI(1);
        assertTrue(pictures.supportsInterface(0x49064906), "ERC-4906");
        assertTrue(pictures.supportsInterface(0x80ac58cd), "ERC-721");
        assertFalse(pictures.supportsInterface(0xffffffff), "no other");
    }

    function test_onlyTheTokensOwnPicture() external {
        uint256 tokenId = mintAs(artist, picture);
        bytes memory other = digits.cases[1].input;
        vm.expectRevert(
            abi.encodeWithSelector(TraitToken.TraitToken_OtherPicture.selector, keccak256(other), keccak256(picture))
        );
        askAs(artist, tokenId, other);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 1));
        askAs(artist, 1, picture);
    }

    function test_refusesVersionsItCannotRead() external {
        VersionParams memory params = publication(packed, 0);
        params.ioSchema = hex"0102020700000004040e00000003040e00000003";
        vm.prank(builder);
        uint64 versionId = registry.publishVersion(modelId, params);
        vm.expectRevert(abi.encodeWithSelector(TraitToken.TraitToken_NotOneOutput.selector, 2));
        new TraitToken(address(market), versionId);
        params.ioSchema = hex"0101020700000004040e00000101";
        vm.prank(builder);
        versionId = registry.publishVersion(modelId, params);
        vm.expectRevert(abi.encodeWithSelector(TraitToken.TraitToken_TooManyLabels.selector, 257));
        new TraitToken(address(market), versionId);
    }

    function _uri(string memory name, string memory attributes) private pure returns (string memory) {
        return string.concat(
            "data:application/json;base64,",
            Base64.encode(bytes(string.concat('{"name":"Picture ', name, '","attributes":[', attributes, "]}")))
        );
    }
}
