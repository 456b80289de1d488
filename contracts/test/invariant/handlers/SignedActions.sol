// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {RequestParams, RequestState, SignedRequest} from "../../../src/types/MarketTypes.sol";
import {MarketActions} from "./MarketActions.sol";

/// @title What people do with signed requests
abstract contract SignedActions is MarketActions {
    /// @notice A signed request that executors know of, used or not.
    struct Offer {
        SignedRequest signed;
        bytes signature;
        VersionEntry version;
        uint256 caseIndex;
    }

    uint256 internal constant MAX_OFFERS = 100;
    /// @dev Few nonces, so that some are used twice.
    uint256 internal constant NONCES = 32;

    Offer[] internal offers;
    mapping(address account => uint256 bits) public spentNonces;

    /// @notice Signs whatever, with or without the deposit for it.
    function sign(uint256 who, uint256 what, uint256 price, uint256 collateral, uint256 times, uint256 extras)
        external
    {
        if (offers.length == MAX_OFFERS) return;
        Offer storage offer = offers.push();
        offer.version = versions[what % versions.length];
        offer.caseIndex = (what >> 8) % _fixtureOf(offer.version.isKzg).cases.length;
        RequestParams memory params = paramsFor(offer.version.id, _fixtureOf(offer.version.isKzg), offer.caseIndex);
        params.maxPrice = uint128(bound(price, 0, 100e6));
        _vary(params, collateral, times, extras);
        uint256 nonce = extras >> 200 & NONCES - 1;
        SignedRequest memory signed = unsignedRequest(requesters[who % ACTORS], params, nonce);
        offer.signed = signed;
        offer.signature = signatureOf(requesterKeys[who % ACTORS], bytes32(market.idOf(signed)));
        _count("sign");
    }

    /// @notice Locks what can be locked; everything else must be refused.
    function lockSigned(uint256 seed, uint256 who) external {
        if (offers.length == 0) return;
        Offer storage offer = offers[seed % offers.length];
        address account = who % 4 == 0 ? executors[who / 4 % ACTORS] : _takerOf(offer, who / 4);
        bool atOnce = who % 3 == 0 && offer.signed.params.executor == account;
        bytes memory data = atOnce ? _lockAndAnswer(offer) : _lockCall(offer);
        vm.prank(account);
        (bool success,) = address(market).call(data);
        bool allowed = _mayLock(offer, account, !atOnce);
        assertTrue(success == allowed, "I15: a signed request is locked exactly if it may be");
        if (!success) {
            _count("refusedSigned");
            return;
        }
        uint256 requestId = _enter(offer, account);
        if (atOnce) _modelPay(expected[requestId]);
        _count(atOnce ? "lockSignedAndFulfill" : "lockSigned");
    }

    /// @notice Several of them at once: those that may be are locked, the others change nothing.
    function lockManySigned(uint256 seed, uint256 who) external {
        if (offers.length == 0) return;
        address account = executors[who % ACTORS];
        bytes[] memory locks = new bytes[](4);
        for (uint256 i = 0; i < locks.length; ++i) {
            locks[i] = _lockCall(offers[(seed % offers.length + i) % offers.length]);
        }
        vm.prank(account);
        (bool success, bytes memory result) = address(market).call(abi.encodeCall(market.lockMany, (locks)));
        // In their order, each judged after those before it.
        uint256 locked;
        for (uint256 i = 0; i < locks.length; ++i) {
            Offer storage offer = offers[(seed % offers.length + i) % offers.length];
            if (!_mayLock(offer, account, true)) continue;
            _enter(offer, account);
            ++locked;
        }
        assertTrue(success == (locked != 0), "I15: refused only where nothing may be locked");
        if (!success) return;
        assertEq(abi.decode(result, (uint256)), locked, "I15: as many as may be");
        _count("lockManySigned");
        if (locked < locks.length) _count("lockManySkipped");
    }

    function cancelNonces(uint256 who, uint256 nonce) external {
        address account = requesters[who % ACTORS];
        nonce %= NONCES;
        vm.prank(account);
        market.cancelNonces(0, 1 << nonce);
        spentNonces[account] |= 1 << nonce;
        _count("cancelNonces");
    }

    /// @notice Something that its requester did not sign.
    function forbidAForgery(uint256 seed, uint256 kind) external {
        if (offers.length == 0) return;
        Offer storage offer = offers[seed % offers.length];
        SignedRequest memory signed = offer.signed;
        bytes memory signature = offer.signature;
        kind %= 5;
        if (kind == 0) signature[seed % 65] ^= bytes1(uint8(1 << (seed >> 8) % 8));
        if (kind == 1) ++signed.params.maxPrice;
        if (kind == 2) signed.params.collateral = FLOOR == signed.params.collateral ? FLOOR + 1 : FLOOR;
        if (kind == 3) signed.nonce += NONCES; // a fresh one
        if (kind == 4) signed.requester = requesters[seed % 2 == 0 ? 0 : 1];
        if (signed.requester != offer.signed.requester || kind != 4) {
            address account = _takerOf(offer, seed);
            vm.prank(account);
            (bool success,) = address(market).call(abi.encodeCall(market.lockSigned, (signed, signature, 0, 0)));
            assertFalse(success, "I15: forged");
            _count("forbidAForgery");
        }
    }

    /// @dev The rules of a lock, from the model.
    function _mayLock(Offer storage offer, address account, bool needsTime) private view returns (bool) {
        RequestParams storage params = offer.signed.params;
        address requester_ = offer.signed.requester;
        if (spentNonces[requester_] & (1 << offer.signed.nonce) != 0) return false;
        if (balances[requester_] < params.maxPrice) return false;
        if (params.executor != address(0) && params.executor != account) return false;
        if (block.timestamp + (needsTime ? MIN_LOCK : 0) > params.deadline) return false;
        return _unlocked(account, address(market)) >= params.collateral;
    }

    function _enter(Offer storage offer, address account) private returns (uint256 requestId) {
        SignedRequest memory signed = offer.signed;
        requestId = market.idOf(signed);
        balances[signed.requester] -= signed.params.maxPrice;
        spentNonces[signed.requester] |= 1 << signed.nonce;
        _expect(requestId, signed.requester, offer.version, signed.params, offer.caseIndex);
        _modelLock(requestId, account);
    }

    function _lockCall(Offer storage offer) private view returns (bytes memory) {
        return abi.encodeCall(market.lockSigned, (offer.signed, offer.signature, 0, 0));
    }

    function _lockAndAnswer(Offer storage offer) private view returns (bytes memory) {
        Fixture storage fixture = _fixtureOf(offer.version.isKzg);
        Case memory proven = fixture.cases[offer.caseIndex];
        return abi.encodeCall(
            market.lockSignedAndFulfill,
            (offer.signed, offer.signature, 0, provenInput(fixture, offer.caseIndex), proven.output, proven.proof)
        );
    }

    /// @dev Who may take it on: the named executor, or any.
    function _takerOf(Offer storage offer, uint256 who) private view returns (address) {
        address named = offer.signed.params.executor;
        return named == address(0) ? executors[who % ACTORS] : named;
    }
}
