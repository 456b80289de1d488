// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ZkVerifier} from "../../src/ZkVerifier.sol";
import {DigitReader} from "../../src/examples/DigitReader.sol";
import {RequestParams, SignedRequest} from "../../src/types/MarketTypes.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {Network} from "../Network.t.sol";

/// @title Gas of whole transactions
/// @notice Every call below runs as a transaction of its own (cold storage, base cost and calldata included) and is
/// compared with `contracts/snapshots`. To accept a change: `FORGE_SNAPSHOT_CHECK=false forge test --mc GasSnapshots`,
/// and read the difference before it is committed.
/// forge-config: default.isolate = true
contract GasSnapshotsTest is Network {
    string internal constant GROUP = "Gateless";

    function setUp() public override {
        super.setUp();
        // Balances and royalties of a network in use are not zero: the first payment is dearer, once.
        uint256 requestId = openLocked();
        fulfillBy(executor, requestId, packed, 0);
        // And versions in use were asked before.
        open(paramsFor(kzgVersion, kzg, 0));
    }

    function test_registerModel() external {
        vm.prank(stranger);
        registry.registerModel("lenet-5");
        vm.snapshotGasLastCall(GROUP, "register model");
    }

    function test_publishVersion() external {
        VersionParams memory params = publication(packed, 250);
        vm.prank(builder);
        registry.publishVersion(modelId, params);
        vm.snapshotGasLastCall(GROUP, "publish version");
    }

    function test_registerVka() external {
        ZkVerifier fresh = new ZkVerifier(address(registry), halo2, developmentG2());
        bytes32[] memory vka = packed.vka;
        fresh.registerVka(vka);
        vm.snapshotGasLastCall(GROUP, "register VKA of 126 words");
    }

    function test_deposit() external {
        token.mint(requester, 1);
        vm.prank(requester);
        token.approve(address(market), 1);
        vm.prank(requester);
        market.deposit(1);
        vm.snapshotGasLastCall(GROUP, "deposit");
    }

    function test_requestPacked() external {
        RequestParams memory params = packedParams();
        bytes memory input = packed.cases[0].input;
        vm.prank(requester);
        market.request(params, input, "");
        vm.snapshotGasLastCall(GROUP, "request packed");
    }

    function test_requestKzg() external {
        RequestParams memory params = paramsFor(kzgVersion, kzg, 0);
        bytes memory input = kzg.cases[0].input;
        vm.prank(requester);
        market.request(params, input, "");
        vm.snapshotGasLastCall(GROUP, "request KZG");
    }

    function test_firstRequestOfAVersion() external {
        vm.prank(builder);
        RequestParams memory params = packedParams();
        params.versionId = registry.publishVersion(modelId, publication(packed, ROYALTY_BPS));
        bytes memory input = packed.cases[0].input;
        vm.prank(requester);
        market.request(params, input, "");
        vm.snapshotGasLastCall(GROUP, "request packed, the first of its version");
    }

    function test_requestWithRamp() external {
        RequestParams memory params = _ramp();
        bytes memory input = packed.cases[0].input;
        vm.prank(requester);
        market.request(params, input, "");
        vm.snapshotGasLastCall(GROUP, "request packed, rising price");
    }

    function test_lockWithRamp() external {
        uint256 requestId = open(_ramp());
        lockBy(executor, requestId);
        vm.snapshotGasLastCall(GROUP, "lock, rising price");
    }

    function test_takeOver() external {
        uint256 requestId = openLocked();
        skip(LOCK_DURATION + 1);
        lockBy(executor, requestId);
        vm.snapshotGasLastCall(GROUP, "lock after a missed lock");
    }

    function test_lockSigned() external {
        _useANonce();
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), 1);
        vm.prank(executor);
        market.lockSigned(signed, signature, 60, 0);
        vm.snapshotGasLastCall(GROUP, "lock a signed request");
    }

    function test_lockSignedAndFulfill() external {
        _useANonce();
        RequestParams memory params = packedParams();
        params.executor = executor;
        (SignedRequest memory signed, bytes memory signature) = signedRequest(params, 1);
        Case memory proven = packed.cases[0];
        vm.prank(executor);
        market.lockSignedAndFulfill(signed, signature, 0, proven.input, proven.output, proven.proof);
        vm.snapshotGasLastCall(GROUP, "lock and fulfill a signed request");
    }

    function test_lockManySigned() external {
        _useANonce();
        stakeFor(executor, 32 * uint256(COLLATERAL));
        bytes[] memory locks = new bytes[](32);
        for (uint256 i = 0; i < 32; ++i) {
            (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), i + 1);
            locks[i] = abi.encodeCall(market.lockSigned, (signed, signature, 60, 0));
        }
        vm.prank(executor);
        market.lockMany(locks);
        uint256 used = vm.snapshotGasLastCall(GROUP, "lock 32 signed requests");
        vm.snapshotValue(GROUP, "lock 32 signed requests, each", used / 32);
    }

    function test_cancelNonces() external {
        vm.prank(requester);
        market.cancelNonces(0, 2);
        vm.snapshotGasLastCall(GROUP, "cancel nonces");
    }

    function test_lock() external {
        uint256 requestId = openPacked();
        lockBy(executor, requestId);
        vm.snapshotGasLastCall(GROUP, "lock");
    }

    function test_fulfillPacked() external {
        uint256 requestId = openLocked();
        _fulfill(requestId, packed, "fulfill ZK packed, 4 inputs, 3 outputs");
    }

    function test_fulfillKzg() external {
        uint256 requestId = open(paramsFor(kzgVersion, kzg, 0));
        lockBy(executor, requestId);
        nextBlock();
        _fulfill(requestId, kzg, "fulfill ZK KZG, 12 inputs, 3 outputs");
    }

    function test_fulfillWithCallback() external {
        RequestParams memory params = packedParams();
        params.callback = address(new DigitReader(address(market), packedVersion));
        params.callbackGas = 100_000;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        nextBlock();
        _fulfill(requestId, packed, "fulfill ZK packed with DigitReader callback");
    }

    function test_lockAndFulfill() external {
        RequestParams memory params = packedParams();
        params.executor = executor;
        uint256 requestId = open(params);
        Case memory proven = packed.cases[0];
        vm.prank(executor);
        market.lockAndFulfill(requestId, 0, proven.input, proven.output, proven.proof);
        vm.snapshotGasLastCall(GROUP, "lock and fulfill ZK packed");
    }

    function test_verify() external {
        Case memory proven = packed.cases[0];
        verifier.verify(packedVersion, 0, proven.input, proven.output, proven.proof);
        vm.snapshotGasLastCall(GROUP, "verify packed, the call alone");
    }

    function test_refundOpen() external {
        uint256 requestId = openPacked();
        skip(1 days);
        market.refund(requestId);
        vm.snapshotGasLastCall(GROUP, "refund open");
    }

    function test_refundLocked() external {
        uint256 requestId = openLocked();
        skip(LOCK_DURATION + 1);
        market.refund(requestId);
        vm.snapshotGasLastCall(GROUP, "refund and slash");
    }

    function test_cancel() external {
        uint256 requestId = openPacked();
        vm.prank(requester);
        market.cancel(requestId);
        vm.snapshotGasLastCall(GROUP, "cancel");
    }

    function test_withdraw() external {
        vm.prank(executor);
        market.withdraw(1, executor);
        vm.snapshotGasLastCall(GROUP, "withdraw");
    }

    function test_withdrawRoyalty() external {
        vm.prank(builder);
        market.withdrawRoyalty(modelId, builder);
        vm.snapshotGasLastCall(GROUP, "withdraw royalty");
    }

    function _ramp() private view returns (RequestParams memory params) {
        params = packedParams();
        (params.minPrice, params.rampStart, params.rampLength) = (1e6, uint64(block.timestamp), 600);
    }

    /// @dev A nonce of a word in use: the first of 256 costs 17,100 more.
    function _useANonce() private {
        lockSignedBy(executor, packedParams(), 0);
        nextBlock();
    }

    function _fulfill(uint256 requestId, Fixture storage fixture, string memory name) private {
        Case memory proven = fixture.cases[0];
        bytes memory input = provenInput(fixture, 0);
        vm.prank(executor);
        market.fulfill(requestId, 0, input, proven.output, proven.proof);
        vm.snapshotGasLastCall(GROUP, name);
    }
}
