// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceMarket} from "../../src/InferenceMarket.sol";
import {SignatureValidator} from "../../src/SignatureValidator.sol";
import {ZkVerifier} from "../../src/ZkVerifier.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {Permit, Request, RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {TrustMode, VersionParams} from "../../src/types/ModelTypes.sol";
import {Network} from "../Network.t.sol";

contract MarketRequestTest is Network {
    function test_escrowsAndStoresWhatWasAsked() external {
        RequestParams memory params = paramsFor(kzgVersion, kzg, 0);
        params.executor = executor;
        params.callback = stranger;
        params.callbackGas = 100_000;
        vm.expectEmit(address(market));
        emit IInferenceMarket.RequestCreated(1, kzgVersion, requester, params, kzg.cases[0].input, "ipfs://x");
        vm.prank(requester);
        uint256 requestId = market.request(params, kzg.cases[0].input, "ipfs://x");

        assertEq(requestId, 1, "ids count from one");
        assertEq(market.requestCount(), 1, "count");
        assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "escrowed");
        Request memory stored = market.requestOf(requestId);
        assertEq(stored.requester, requester, "requester");
        assertEq(stored.versionId, kzgVersion, "version");
        assertEq(uint256(stored.state), uint256(RequestState.OPEN), "state");
        assertEq(uint256(stored.mode), uint256(TrustMode.ZK), "mode");
        assertEq(stored.royaltyBps, ROYALTY_BPS, "royalty");
        assertEq(stored.inputDigest, keccak256(kzg.cases[0].input), "digest");
        assertEq(stored.inputBinding, kzg.cases[0].inputBinding, "binding");
        assertEq(stored.price, PRICE, "price");
        assertEq(stored.collateral, COLLATERAL, "collateral");
        assertEq(stored.deadline, params.deadline, "deadline");
        assertEq(stored.lockDuration, LOCK_DURATION, "lock duration");
        assertEq(stored.callbackGas, 100_000, "callback gas");
        assertEq(stored.namedExecutor, executor, "named executor");
        assertEq(stored.callback, stranger, "callback");
        assertEq(stored.executor, address(0), "nobody locked");
        assertEq(stored.lockDeadline, 0, "no lock");
        assertEq(stored.lockBlock, 0, "no lock block");
        assertEq(stored.outputDigest, 0, "no output");
    }

    function test_packedDigestAndBindingReadBackAsOne() external {
        Request memory stored = market.requestOf(openPacked());
        assertEq(stored.inputDigest, keccak256(packed.cases[0].input), "digest");
        assertEq(stored.inputBinding, stored.inputDigest, "binding");
    }

    function test_permitAndRequestInOneTransaction() external {
        address newcomer = vm.addr(0xbeef);
        token.mint(newcomer, PRICE);
        Permit memory permit = permitFor(0xbeef, address(market), PRICE, block.timestamp);
        RequestParams memory params = packedParams();
        vm.prank(newcomer);
        uint256 requestId = market.requestWithPermit(params, packed.cases[0].input, "", permit);
        assertEq(market.requestOf(requestId).requester, newcomer, "requester");
        assertEq(market.balanceOf(newcomer), 0, "all escrowed");
        assertEq(token.balanceOf(newcomer), 0, "all deposited");
    }

    function test_refusesWithoutMoney() external {
        RequestParams memory params = packedParams();
        vm.expectRevert(
            abi.encodeWithSelector(ITokenAccounts.TokenAccounts_InsufficientBalance.selector, stranger, 0, PRICE)
        );
        vm.prank(stranger);
        market.request(params, "", "");
    }

    function test_refusesModes() external {
        RequestParams memory params = packedParams();
        params.mode = TrustMode.LAZY_ZK;
        _refused(
            params, abi.encodeWithSelector(IInferenceMarket.InferenceMarket_ModeNotAllowed.selector, packedVersion, 1)
        );
        VersionParams memory allModes = publication(packed, 0);
        allModes.modes = 15;
        vm.prank(builder);
        params.versionId = registry.publishVersion(modelId, allModes);
        for (uint8 mode = 1; mode < 4; ++mode) {
            params.mode = TrustMode(mode);
            _refused(params, abi.encodeWithSelector(IInferenceMarket.InferenceMarket_ModeNotSupported.selector, mode));
        }
        params.mode = TrustMode.ZK;
        open(params);
    }

    function test_refusesUnknownVersions() external {
        RequestParams memory params = packedParams();
        params.versionId += 7;
        _refused(params, abi.encodeWithSelector(IModelRegistry.ModelRegistry_UnknownVersion.selector, params.versionId));
    }

    function test_refusesAVersionWhoseKeyIsNotStored() external {
        ZkVerifier empty = new ZkVerifier(address(registry), halo2, developmentG2());
        market = new InferenceMarket(
            address(token),
            address(registry),
            address(empty),
            address(staking),
            address(new SignatureValidator()),
            limits()
        );
        depositFor(requester, DEPOSIT);
        RequestParams memory params = packedParams();
        _refused(
            params, abi.encodeWithSelector(IInferenceMarket.InferenceMarket_VkaNotRegistered.selector, packed.vkaDigest)
        );
        empty.registerVka(packed.vka);
        open(params);
    }

    function test_refusesAVersionWithoutACircuitForOneRow() external {
        VersionParams memory batchOnly = publication(packed, 0);
        batchOnly.circuits[0].batchSize = 8;
        RequestParams memory params = packedParams();
        vm.prank(builder);
        params.versionId = registry.publishVersion(modelId, batchOnly);
        _refused(
            params, abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NoUsableCircuit.selector, params.versionId)
        );
    }

    function test_refusesCollateralBelowTheFloor() external {
        RequestParams memory params = packedParams();
        params.collateral = FLOOR - 1;
        _refused(
            params,
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_CollateralBelowFloor.selector, FLOOR - 1, FLOOR)
        );
        params.collateral = FLOOR;
        open(params);
    }

    function test_refusesLockDurationsOutOfRange() external {
        RequestParams memory params = packedParams();
        uint32[2] memory bad = [MIN_LOCK - 1, MAX_LOCK + 1];
        for (uint256 i = 0; i < 2; ++i) {
            params.lockDuration = bad[i];
            _refused(
                params,
                abi.encodeWithSelector(
                    IInferenceMarket.InferenceMarket_LockDurationOutOfRange.selector, bad[i], MIN_LOCK, MAX_LOCK
                )
            );
        }
        params.lockDuration = MIN_LOCK;
        open(params);
        params.lockDuration = MAX_LOCK;
        open(params);
    }

    function test_refusesDeadlinesOutOfRange() external {
        RequestParams memory params = packedParams();
        uint64 earliest = uint64(block.timestamp) + LOCK_DURATION;
        uint64 latest = uint64(block.timestamp) + MAX_LIFETIME;
        uint64[4] memory bad = [0, earliest - 1, latest + 1, type(uint64).max];
        for (uint256 i = 0; i < 4; ++i) {
            params.deadline = bad[i];
            _refused(
                params,
                abi.encodeWithSelector(
                    IInferenceMarket.InferenceMarket_DeadlineOutOfRange.selector, bad[i], earliest, latest
                )
            );
        }
        params.deadline = earliest;
        open(params);
        params.deadline = latest;
        open(params);
    }

    function test_refusesBadCallbacks() external {
        RequestParams memory params = packedParams();
        params.callbackGas = 1;
        _refused(params, abi.encodeWithSelector(IInferenceMarket.InferenceMarket_CallbackGasWithoutCallback.selector));
        params.callback = stranger;
        params.callbackGas = MAX_CALLBACK_GAS + 1;
        _refused(
            params,
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_CallbackGasTooHigh.selector, MAX_CALLBACK_GAS + 1, MAX_CALLBACK_GAS
            )
        );
        params.callbackGas = MAX_CALLBACK_GAS;
        open(params);
    }

    function test_refusesInputsThatAreNotTheDigests() external {
        RequestParams memory params = packedParams();
        bytes memory other = packed.cases[1].input;
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_InputDigestMismatch.selector, keccak256(other), params.inputDigest
            )
        );
        vm.prank(requester);
        market.request(params, other, "");

        params.inputDigest = 0;
        params.inputBinding = 0;
        _refused(params, abi.encodeWithSelector(IInferenceMarket.InferenceMarket_ZeroInputDigest.selector));
    }

    function test_packedInputsAreBoundByTheirDigest() external {
        RequestParams memory params = packedParams();
        bytes32 digest = params.inputDigest;
        bytes32[3] memory others =
            [packed.cases[1].inputBinding, bytes32(uint256(digest) - 1), bytes32(uint256(digest) + 1)];
        for (uint256 i = 0; i < others.length; ++i) {
            params.inputBinding = others[i];
            _refused(
                params,
                abi.encodeWithSelector(
                    IInferenceMarket.InferenceMarket_InputBindingMismatch.selector, others[i], digest
                )
            );
        }
    }

    function test_takesAHintOfTheGreatestLength() external {
        vm.prank(requester);
        uint256 requestId = market.request(packedParams(), "", string(new bytes(256)));
        assertState(requestId, RequestState.OPEN);
    }

    function test_takesAnInputOfTheGreatestLength() external {
        RequestParams memory params = packedParams();
        bytes memory longest = new bytes(MAX_INPUT_LENGTH);
        params.inputDigest = keccak256(longest);
        params.inputBinding = params.inputDigest;
        vm.prank(requester);
        uint256 requestId = market.request(params, longest, "");
        assertState(requestId, RequestState.OPEN);
    }

    function test_refusesLongInputsAndHints() external {
        RequestParams memory params = packedParams();
        bytes memory long = new bytes(MAX_INPUT_LENGTH + 1);
        params.inputDigest = keccak256(long);
        params.inputBinding = params.inputDigest;
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_InputTooLong.selector, MAX_INPUT_LENGTH + 1, MAX_INPUT_LENGTH
            )
        );
        vm.prank(requester);
        market.request(params, long, "");
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_HintTooLong.selector, 257, 256));
        vm.prank(requester);
        market.request(params, "", string(new bytes(257)));
    }

    function test_cancelsBeforeALock() external {
        uint256 requestId = openPacked();
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotRequester.selector, requestId, stranger)
        );
        vm.prank(stranger);
        market.cancel(requestId);
        vm.expectEmit(address(market));
        emit IInferenceMarket.RequestRefunded(requestId, requester, PRICE, 0);
        vm.prank(requester);
        market.cancel(requestId);
        assertEq(market.balanceOf(requester), DEPOSIT, "all back");
        assertState(requestId, RequestState.REFUNDED);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotOpen.selector, requestId, RequestState.REFUNDED)
        );
        vm.prank(requester);
        market.cancel(requestId);
    }

    function test_cannotCancelOnceLocked() external {
        uint256 requestId = openLocked();
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotOpen.selector, requestId, RequestState.LOCKED)
        );
        vm.prank(requester);
        market.cancel(requestId);
    }

    function test_cannotCancelWhereAnExecutorIsNamed() external {
        RequestParams memory params = packedParams();
        params.executor = executor;
        uint256 requestId = open(params);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NamedCannotCancel.selector, requestId, executor)
        );
        vm.prank(requester);
        market.cancel(requestId);
        vm.warp(params.deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NamedCannotCancel.selector, requestId, executor)
        );
        vm.prank(requester);
        market.cancel(requestId);
        market.refund(requestId);
        assertEq(market.balanceOf(requester), DEPOSIT, "all back after the deadline");
    }

    function test_unknownRequests() external {
        bytes memory unknown = abi.encodeWithSelector(IInferenceMarket.InferenceMarket_UnknownRequest.selector, 5);
        vm.expectRevert(unknown);
        market.requestOf(5);
        vm.expectRevert(unknown);
        market.statusOf(5);
        vm.expectRevert(unknown);
        market.cancel(5);
        vm.expectRevert(unknown);
        market.termsOf(5);
        vm.expectRevert(unknown);
        market.lock(5, 0, 0, 0);
        vm.expectRevert(unknown);
        market.fulfill(5, 0, "", "", "");
        vm.expectRevert(unknown);
        market.lockAndFulfill(5, 0, "", "", "");
        vm.expectRevert(unknown);
        market.refund(5);
    }

    /// @notice Amounts are stored in 88 bits: what does not fit is refused, not cut.
    function test_refusesAmountsThatARequestCannotHold() external {
        uint128 most = type(uint88).max;
        RequestParams memory params = packedParams();
        params.maxPrice = most + 1;
        _refused(params, abi.encodeWithSelector(IInferenceMarket.InferenceMarket_PriceTooHigh.selector, most + 1, most));
        params.maxPrice = most; // fits, and is more than the requester has
        _refused(
            params,
            abi.encodeWithSelector(ITokenAccounts.TokenAccounts_InsufficientBalance.selector, requester, DEPOSIT, most)
        );
        params = packedParams();
        params.collateral = most + 1;
        _refused(
            params, abi.encodeWithSelector(IInferenceMarket.InferenceMarket_CollateralTooHigh.selector, most + 1, most)
        );
        params.collateral = most;
        uint256 requestId = open(params);
        assertEq(market.requestOf(requestId).collateral, most, "to the unit");
    }

    /// @notice Every term at the largest value that fits, read back: the packing loses nothing.
    function test_packedTermsAreReadBack() external {
        RequestParams memory params = packedParams();
        params.deadline = uint64(block.timestamp) + MAX_LIFETIME;
        params.lockDuration = MAX_LOCK;
        params.callback = address(type(uint160).max);
        params.callbackGas = MAX_CALLBACK_GAS;
        params.executor = executor;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        Request memory stored = market.requestOf(requestId);
        assertEq(stored.deadline, params.deadline, "deadline");
        assertEq(stored.lockDuration, MAX_LOCK, "lock duration");
        assertEq(stored.lockDeadline, block.timestamp + MAX_LOCK, "lock deadline");
        assertEq(stored.lockBlock, block.number, "lock block");
        assertEq(stored.price, PRICE, "price");
        assertEq(stored.royaltyBps, ROYALTY_BPS, "royalty");
        assertEq(stored.collateral, COLLATERAL, "collateral");
        assertEq(stored.callback, params.callback, "callback");
        assertEq(stored.callbackGas, MAX_CALLBACK_GAS, "callback gas");
        assertEq(stored.namedExecutor, executor, "named");
        assertEq(stored.executor, executor, "holder");
        assertEq(stored.paidBlock, 0, "not paid");
    }

    function _refused(RequestParams memory params, bytes memory encoded) private {
        uint256 count = market.requestCount();
        uint256 balance = market.balanceOf(requester);
        vm.expectRevert(encoded);
        vm.prank(requester);
        market.request(params, "", "");
        assertEq(market.requestCount(), count, "no request");
        assertEq(market.balanceOf(requester), balance, "no money moved");
    }
}
