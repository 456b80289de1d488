// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TraitToken} from "../src/examples/TraitToken.sol";
import {Network} from "./Network.t.sol";

/// @title The network with pictures of digits and the classifier that the project ships
abstract contract TraitNetwork is Network {
    Fixture internal digits;
    uint64 internal digitsVersion;
    TraitToken internal pictures;
    address internal artist;
    bytes internal picture;

    function setUp() public virtual override {
        super.setUp();
        loadFixture(digits, "digits");
        verifier.registerVka(digits.vka);
        vm.prank(builder);
        digitsVersion = registry.publishVersion(modelId, publication(digits, ROYALTY_BPS));
        pictures = new TraitToken(address(market), digitsVersion);
        artist = makeAddr("artist");
        picture = digits.cases[0].input;
        purse(artist);
        purse(stranger);
    }

    function purse(address account) internal {
        token.mint(account, 100e6);
        vm.prank(account);
        token.approve(address(pictures), type(uint256).max);
    }

    function mintAs(address account, bytes memory pixels) internal returns (uint256 tokenId) {
        vm.prank(account);
        return pictures.mint(keccak256(pixels));
    }

    function askAs(address account, uint256 tokenId, bytes memory pixels) internal returns (uint256 requestId) {
        vm.prank(account);
        return pictures.requestTrait(tokenId, pixels, PRICE, COLLATERAL);
    }

    function answer(uint256 requestId, uint256 index) internal {
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, digits, index);
    }
}
