// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest, AttestedState} from "../../src/attested/AttestedTypes.sol";
import {AttestedNetwork} from "../AttestedNetwork.t.sol";

/// @title Money of attested answers, to the unit
contract AttestedMoneyFuzz is AttestedNetwork {
    /// @notice Whatever the prices, times and way: what the requester pays is what executor and model get.
    function testFuzz_thePriceIsSplitToTheUnit(uint128 most, uint128 least, uint32 length, uint256 later, bool isSigned)
        external
    {
        AttestedRequest memory asked = _asked(most, least, length);
        if (!isSigned) {
            open(asked);
            assertEq(market.balanceOf(requester), DEPOSIT - asked.maxPrice, "the most is in escrow");
        }
        later = bound(later, 0, 1 hours);
        vm.warp(block.timestamp + later);
        if (isSigned) fulfillSigned(asked);
        else fulfill(asked);
        uint256 price = asked.rampLength == 0 || later >= asked.rampLength
            ? asked.maxPrice
            : asked.minPrice + uint256(asked.maxPrice - asked.minPrice) * later / asked.rampLength;
        uint256 royalty = price * ROYALTY_BPS / 10_000;
        assertEq(market.balanceOf(requester), DEPOSIT - price, "he paid the price");
        assertEq(market.royaltyOf(modelId), royalty, "royalty");
        assertEq(market.balanceOf(executor), price - royalty, "fee");
        assertEq(token.balanceOf(address(market)), DEPOSIT, "nothing left");
    }

    /// @notice Several requests, some answered, some refunded, some neither: the market holds what it owes, and pays it
    /// all out.
    function testFuzz_everybodyIsPaidOut(uint256 seed, uint8 count) external {
        uint256 escrow;
        uint256 open_;
        AttestedRequest[] memory waiting = new AttestedRequest[](10);
        for (uint256 i = 0; i < bound(count, 1, 10); ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            AttestedRequest memory asked = _asked(uint128(dice), uint128(dice >> 128), uint32(dice >> 64));
            if (asked.maxPrice > market.balanceOf(requester)) continue;
            open(asked);
            if (dice % 3 == 0) {
                fulfill(asked);
            } else {
                escrow += asked.maxPrice;
                waiting[open_] = asked;
                ++open_;
            }
        }
        uint256 owed = market.balanceOf(requester) + market.balanceOf(executor) + market.royaltyOf(modelId);
        assertEq(token.balanceOf(address(market)), owed + escrow, "to the unit");
        vm.warp(block.timestamp + 2 hours);
        for (uint256 i = 0; i < open_; ++i) {
            market.refund(waiting[i]);
            assertState(market.idOf(waiting[i]), AttestedState.REFUNDED);
        }
        _leave(requester);
        _leave(executor);
        if (market.royaltyOf(modelId) != 0) {
            vm.prank(builder);
            market.withdrawRoyalty(modelId, builder);
        }
        assertEq(token.balanceOf(address(market)), 0, "nothing is stranded");
    }

    /// @notice EIP-712 by hand, from the standard's words: every field counts.
    function testFuzz_theIdIsEip712s(AttestedRequest memory asked) external view {
        bytes memory type_ =
            "AttestedInferenceRequest(address requester,uint64 versionId,bytes32 inputDigest,bytes32 inputBinding,uint128 maxPrice,uint128 minPrice,uint64 rampStart,uint32 rampLength,uint64 deadline,address verifier,bytes32 policy,address executor,address callback,uint32 callbackGas,uint256 nonce,string inputHint)";
        bytes memory head = abi.encode(
            keccak256(type_),
            asked.requester,
            asked.versionId,
            asked.inputDigest,
            asked.inputBinding,
            asked.maxPrice,
            asked.minPrice,
            asked.rampStart
        );
        bytes memory tail = abi.encode(
            asked.rampLength,
            asked.deadline,
            asked.verifier,
            asked.policy,
            asked.executor,
            asked.callback,
            asked.callbackGas,
            asked.nonce,
            keccak256(bytes(asked.inputHint))
        );
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Gateless AttestedMarket"),
                keccak256("1"),
                block.chainid,
                address(market)
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, keccak256(bytes.concat(head, tail))));
        assertEq(market.idOf(asked), uint256(digest), "digest");
    }

    function _asked(uint128 most, uint128 least, uint32 length) private returns (AttestedRequest memory asked) {
        asked = request();
        asked.maxPrice = uint128(bound(most, 1, DEPOSIT));
        asked.rampLength = uint32(bound(length, 0, 1 hours));
        if (asked.rampLength == 0) return asked;
        asked.minPrice = uint128(bound(least, 0, asked.maxPrice - 1));
        asked.rampStart = uint64(block.timestamp);
    }

    function _leave(address account) private {
        uint256 balance = market.balanceOf(account);
        if (balance == 0) return;
        vm.prank(account);
        market.withdraw(balance, account);
    }
}
