// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TraitNetwork} from "../TraitNetwork.t.sol";

/// @notice Questions about a token that nobody answers, that are answered when its trait is set already, or whose asker
/// has sold the token: every price is paid for an answer or comes back to whoever paid it.
contract TraitStuckMoneyAttack is TraitNetwork {
    function test_attack_nobodyAnswers() external {
        uint256 tokenId = mintAs(artist, picture);
        uint256 byArtist = askAs(artist, tokenId, picture);
        uint256 byOther = askAs(stranger, tokenId, picture);
        vm.prank(artist);
        pictures.transferFrom(artist, requester, tokenId);
        lockBy(executor, byOther);
        skip(1 days + 1);
        pictures.reclaim(byArtist);
        pictures.reclaim(byOther);
        vm.prank(artist);
        pictures.withdrawRefund(artist);
        assertEq(token.balanceOf(artist), 100e6, "who asked, not who holds the token now");
        vm.startPrank(stranger);
        pictures.withdrawRefund(stranger);
        pictures.withdrawCompensation(stranger);
        vm.stopPrank();
        assertEq(token.balanceOf(stranger), 100e6 + PRICE, "and his compensation");
        assertEq(market.balanceOf(address(pictures)), 0, "nothing is left");
        assertEq(token.balanceOf(address(pictures)), 0, "nothing is left");
        // The token is as it was: it can be asked about again.
        answer(askAs(artist, tokenId, picture), 0);
        assertEq(pictures.traitOf(tokenId), 1, "label");
    }
}
