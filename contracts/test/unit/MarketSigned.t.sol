// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {Request, RequestParams, RequestState, SignedRequest} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";
import {Erc6492, OwnedWallet, WalletFactory} from "../Wallets.sol";

contract MarketSignedTest is Network {
    function test_locksWhatWasSigned() external {
        RequestParams memory params = packedParams();
        (SignedRequest memory signed, bytes memory signature) = signedRequest(params, 7);
        uint256 requestId = market.idOf(signed);
        vm.expectEmit(address(market));
        emit IInferenceMarket.RequestCreated(requestId, packedVersion, requester, params, "", signed.inputHint);
        vm.expectEmit(address(market));
        emit IInferenceMarket.RequestLocked(requestId, executor, PRICE, uint64(block.timestamp) + LOCK_DURATION);
        vm.prank(executor);
        assertEq(market.lockSigned(signed, signature, LOCK_DURATION, PRICE), requestId, "its digest is its id");
        Request memory stored = market.requestOf(requestId);
        assertEq(uint256(stored.state), uint256(RequestState.LOCKED), "state");
        assertEq(stored.requester, requester, "whose");
        assertEq(stored.executor, executor, "holder");
        assertEq(stored.price, PRICE, "price");
        assertEq(stored.royaltyBps, ROYALTY_BPS, "the version's royalty");
        assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "debited now");
        assertEq(market.nonceWord(requester, 0), 1 << 7, "the nonce is used");
        assertEq(market.requestCount(), 0, "ids of sent requests are not touched");
    }

    function test_isFulfilledLikeAnyOther() external {
        uint256 requestId = lockSignedBy(executor, packedParams(), 1);
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
        assertState(requestId, RequestState.PAID);
        assertEq(market.balanceOf(executor), PRICE * 9 / 10, "paid");
        assertEq(staking.available(executor, address(market)), STAKE, "unlocked");
    }

    function test_isRefundedLikeAnyOther() external {
        uint256 requestId = lockSignedBy(executor, packedParams(), 1);
        skip(LOCK_DURATION + 1);
        market.refund(requestId);
        assertEq(market.balanceOf(requester), DEPOSIT, "back");
        assertEq(staking.creditOf(requester), PRICE, "compensated");
    }

    function test_lockAndFulfillInOneTransaction() external {
        RequestParams memory params = packedParams();
        params.executor = executor;
        (SignedRequest memory signed, bytes memory signature) = signedRequest(params, 1);
        Case memory proven = packed.cases[0];
        vm.prank(executor);
        uint256 requestId = market.lockSignedAndFulfill(signed, signature, 0, proven.input, proven.output, proven.proof);
        assertState(requestId, RequestState.PAID);
        assertEq(market.balanceOf(executor), PRICE * 9 / 10, "paid");
    }

    function test_lockAndFulfillNeedsTheName() external {
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), 1);
        Case memory proven = packed.cases[0];
        uint256 requestId = market.idOf(signed);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_NotNamedExecutor.selector, requestId, executor, address(0)
            )
        );
        vm.prank(executor);
        market.lockSignedAndFulfill(signed, signature, 0, proven.input, proven.output, proven.proof);
        assertEq(market.nonceWord(requester, 0), 0, "nothing happened");
    }

    function test_onlyTheNamedExecutor() external {
        RequestParams memory params = packedParams();
        params.executor = stranger;
        (SignedRequest memory signed, bytes memory signature) = signedRequest(params, 1);
        uint256 requestId = market.idOf(signed);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_NotNamedExecutor.selector, requestId, executor, stranger
            )
        );
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
    }

    function test_takesTheRampsPriceOnly() external {
        RequestParams memory params = packedParams();
        (params.minPrice, params.rampStart, params.rampLength) = (1e6, uint64(block.timestamp), 400);
        (SignedRequest memory signed, bytes memory signature) = signedRequest(params, 1);
        skip(100);
        vm.prank(executor);
        uint256 requestId = market.lockSigned(signed, signature, 0, 2e6);
        assertEq(market.requestOf(requestId).price, 2e6, "of this second");
        assertEq(market.balanceOf(requester), DEPOSIT - 2e6, "and no more is gone");
    }

    function test_theExecutorsLeastTimeAndPrice() external {
        RequestParams memory params = packedParams();
        (SignedRequest memory signed, bytes memory signature) = signedRequest(params, 1);
        uint64 lockDeadline = uint64(block.timestamp) + LOCK_DURATION;
        vm.startPrank(executor);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_LockTooShort.selector, lockDeadline, lockDeadline + 1
            )
        );
        market.lockSigned(signed, signature, LOCK_DURATION + 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_PriceTooLow.selector, PRICE, PRICE + 1));
        market.lockSigned(signed, signature, 0, PRICE + 1);
        vm.stopPrank();
    }

    function test_mayBeLockedUntilItsTimeIsTooShort() external {
        RequestParams memory params = packedParams();
        (SignedRequest memory signed, bytes memory signature) = signedRequest(params, 1);
        vm.warp(params.deadline - MIN_LOCK + 1);
        vm.expectPartialRevert(IInferenceMarket.InferenceMarket_LockTooShort.selector);
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
        vm.warp(params.deadline + 1);
        vm.expectPartialRevert(IInferenceMarket.InferenceMarket_DeadlineOutOfRange.selector);
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
        vm.warp(params.deadline - MIN_LOCK); // less than one whole lock, and enough
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
    }

    function test_notBeforeItsLifeCanBegin() external {
        RequestParams memory params = packedParams();
        params.deadline = uint64(block.timestamp) + MAX_LIFETIME + 1;
        (SignedRequest memory signed, bytes memory signature) = signedRequest(params, 1);
        vm.expectPartialRevert(IInferenceMarket.InferenceMarket_DeadlineOutOfRange.selector);
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
        nextBlock();
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
    }

    function test_hasTheRulesOfEveryRequest() external {
        RequestParams memory params = packedParams();
        params.collateral = FLOOR - 1;
        _refused(params, IInferenceMarket.InferenceMarket_CollateralBelowFloor.selector);
        params = packedParams();
        params.inputBinding = keccak256("another");
        _refused(params, IInferenceMarket.InferenceMarket_InputBindingMismatch.selector);
        params = packedParams();
        params.lockDuration = MAX_LOCK + 1;
        _refused(params, IInferenceMarket.InferenceMarket_LockDurationOutOfRange.selector);
        params = packedParams();
        params.minPrice = 1;
        _refused(params, IInferenceMarket.InferenceMarket_InvalidRamp.selector);
        params = packedParams();
        params.inputDigest = 0;
        _refused(params, IInferenceMarket.InferenceMarket_ZeroInputDigest.selector);
    }

    function test_aHintHasItsBound() external {
        (SignedRequest memory signed,) = signedRequest(packedParams(), 1);
        signed.inputHint = string(new bytes(257));
        bytes memory signature = signatureOf(requesterKey, bytes32(market.idOf(signed)));
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_HintTooLong.selector, 257, 256));
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
    }

    function test_aContractAccountAsks() external {
        OwnedWallet wallet = new OwnedWallet(requester, true);
        _asks(address(wallet), "");
    }

    function test_anAccountThatIsNotDeployedAsks() external {
        WalletFactory factory = new WalletFactory();
        address wallet = factory.predict(requester, "salt");
        // Its deposit was made for it, before it exists.
        _asks(wallet, abi.encode(address(factory), abi.encodeCall(factory.deploy, (requester, "salt"))));
        assertEq(wallet.code.length, 0, "and still does not");
    }

    function test_noncesNeedNoOrder() external {
        stakeFor(executor, 3 * COLLATERAL);
        lockSignedBy(executor, packedParams(), 300);
        lockSignedBy(executor, packedParams(), 2);
        lockSignedBy(executor, packedParams(), type(uint256).max);
        assertEq(market.nonceWord(requester, 0), 4, "word 0");
        assertEq(market.nonceWord(requester, 1), 1 << 44, "word 1");
        assertEq(market.nonceWord(requester, type(uint248).max), 1 << 255, "the last word");
    }

    function test_cancelsAWordAtOnce() external {
        vm.expectEmit(address(market));
        emit IInferenceMarket.NoncesCancelled(requester, 1, type(uint256).max);
        vm.prank(requester);
        market.cancelNonces(1, type(uint256).max);
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), 256);
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NonceUsed.selector, requester, 256));
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
        lockSignedBy(executor, packedParams(), 255); // its neighbour lives
    }

    function test_theDomainIsPublic() external view {
        // ERC-5267.
        (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        ) = market.eip712Domain();
        assertTrue(fields == 0x0f, "name, version, chain, contract");
        assertEq(name, "Gateless InferenceMarket", "name");
        assertEq(version, "1", "version");
        assertEq(chainId, block.chainid, "chain");
        assertEq(verifyingContract, address(market), "contract");
        assertEq(salt, 0, "no salt");
        assertEq(extensions.length, 0, "no extensions");
    }

    function _asks(address wallet, bytes memory deployment) private {
        depositFor(wallet, PRICE);
        SignedRequest memory signed = unsignedRequest(wallet, packedParams(), 1);
        bytes memory signature = signatureOf(requesterKey, bytes32(market.idOf(signed)));
        if (deployment.length != 0) {
            (address to, bytes memory data) = abi.decode(deployment, (address, bytes));
            signature = Erc6492.wrap(to, data, signature);
        }
        vm.prank(executor);
        uint256 requestId = market.lockSigned(signed, signature, 0, 0);
        assertEq(market.requestOf(requestId).requester, wallet, "the wallet's");
        assertEq(market.balanceOf(wallet), 0, "and paid by it");
    }

    function _refused(RequestParams memory params, bytes4 why) private {
        (SignedRequest memory signed, bytes memory signature) = signedRequest(params, 1);
        vm.expectPartialRevert(why);
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
    }
}
