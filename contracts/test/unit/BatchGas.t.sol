// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ZkVerifier} from "../../src/ZkVerifier.sol";
import {RequestParams} from "../../src/types/MarketTypes.sol";
import {Circuit, VersionParams} from "../../src/types/ModelTypes.sol";
import {FreeVerifier} from "../FreeVerifier.t.sol";
import {Network} from "../Network.t.sol";

/// @title Gas of the issue's bars: a small perceptron alone and 32 at once, and a classifier of 784 committed inputs
/// @notice Whole transactions, refunds of the EVM deducted: what a receipt calls `gasUsed`, at Cancun's prices. Chains
/// with EIP-7883 (Fusaka) charge more for the three modular exponentiations of ezkl's verifier; the bars count that.
/// `tests/adapters/chain/test_fulfilment_gas.py` holds the figures against receipts.
/// forge-config: default.isolate = true
contract BatchGasTest is Network {
    string internal constant GROUP = "Batch";
    uint256 internal constant ROWS = 32;
    /// @dev EIP-7883, three times: 4,048 instead of 1,349 gas.
    uint256 internal constant FUSAKA = 8097;

    Fixture internal mlp;
    Fixture internal mlp32;
    Fixture internal mlp784;
    uint64 internal version;
    uint64 internal version784;

    function setUp() public override {
        super.setUp();
        loadFixture(mlp, "mlp");
        loadFixture(mlp32, "mlp32");
        loadFixture(mlp784, "mlp784");
        verifier.registerVka(mlp.vka);
        verifier.registerVka(mlp32.vka);
        verifier.registerVka(mlp784.vka);
        VersionParams memory params = publication(mlp, ROYALTY_BPS);
        Circuit memory single = params.circuits[0];
        params.circuits = new Circuit[](2);
        (params.circuits[0], params.circuits[1]) = (single, circuitOf(mlp32));
        vm.startPrank(builder);
        version = registry.publishVersion(modelId, params);
        version784 = registry.publishVersion(modelId, publication(mlp784, ROYALTY_BPS));
        vm.stopPrank();
        stakeFor(executor, ROWS * COLLATERAL);
        depositFor(requester, ROWS * uint256(PRICE));
        // Balances and royalties of a network in use are not zero.
        uint256 requestId = openLocked();
        fulfillBy(executor, requestId, packed, 0);
    }

    function test_fulfillSmallMlp() external {
        uint256 requestId = open(paramsFor(version, mlp, 0));
        _fulfill(requestId, mlp, "fulfill MLP 16-32-16-4", 560_000);
    }

    function test_fulfillCommittedClassifier() external {
        uint256 requestId = open(paramsFor(version784, mlp784, 0));
        _fulfill(requestId, mlp784, "fulfill MLP 784-32-10, input by KZG commitment", 590_000);
    }

    function test_fulfillBatchOf32() external {
        uint256[] memory ids = _lockAll();
        Case memory proven = mlp32.cases[0];
        vm.prank(executor);
        market.fulfillBatch(ids, 1, proven.input, proven.output, proven.proof);
        uint256 used = vm.snapshotGasLastCall(GROUP, "fulfill 32 x MLP 16-32-16-4");
        vm.snapshotValue(GROUP, "fulfill 32 x MLP 16-32-16-4, each", used / ROWS);
        assertLe(used + FUSAKA, ROWS * 48_000, "the bar");
    }

    /// @notice Verification, with ezkl's verifier and without: the difference is ezkl's.
    function test_verifyBatchOf32() external {
        Case memory proven = mlp32.cases[0];
        string memory name = "verify 32 x MLP 16-32-16-4";
        verifier.verifyBatch(version, 1, proven.input, proven.output, proven.proof);
        vm.snapshotGasLastCall(GROUP, name);
        _free(mlp32).verifyBatch(version, 1, proven.input, proven.output, proven.proof);
        vm.snapshotGasLastCall(GROUP, string.concat(name, ", without ezkl's verifier"));
        _snapshotCalldata(
            name, abi.encodeCall(market.fulfillBatch, (_ids(), 1, proven.input, proven.output, proven.proof))
        );
    }

    function test_verifySmallMlp() external {
        _verifySingle(mlp, version, "verify MLP 16-32-16-4");
    }

    function test_verifyCommittedClassifier() external {
        _verifySingle(mlp784, version784, "verify MLP 784-32-10");
    }

    function _verifySingle(Fixture storage fixture, uint64 versionId, string memory name) private {
        Case memory proven = fixture.cases[0];
        bytes memory input = provenInput(fixture, 0);
        verifier.verify(versionId, 0, input, proven.output, proven.proof);
        vm.snapshotGasLastCall(GROUP, name);
        _free(fixture).verify(versionId, 0, input, proven.output, proven.proof);
        vm.snapshotGasLastCall(GROUP, string.concat(name, ", without ezkl's verifier"));
        _snapshotCalldata(name, abi.encodeCall(market.fulfill, (2, 0, input, proven.output, proven.proof)));
    }

    /// @dev EIP-2028: 4 gas for a zero byte, 16 for any other.
    function _snapshotCalldata(string memory name, bytes memory data) private {
        uint256 gas_;
        for (uint256 i = 0; i < data.length; ++i) {
            gas_ += data[i] == 0 ? 4 : 16;
        }
        vm.snapshotValue(GROUP, string.concat(name, ", calldata of the fulfilment"), gas_);
    }

    function _free(Fixture storage fixture) private returns (ZkVerifier free) {
        free = new ZkVerifier(address(registry), address(new FreeVerifier()), developmentG2());
        free.registerVka(fixture.vka);
    }

    function _ids() private pure returns (uint256[] memory ids) {
        ids = new uint256[](ROWS);
        for (uint256 i = 0; i < ROWS; ++i) {
            ids[i] = i + 2;
        }
    }

    function _lockAll() private returns (uint256[] memory ids) {
        ids = new uint256[](ROWS);
        for (uint256 row = 0; row < ROWS; ++row) {
            RequestParams memory params = paramsFor(version, mlp, 0);
            params.inputDigest = keccak256(rowOf(mlp32.cases[0].input, ROWS, row));
            params.inputBinding = params.inputDigest;
            ids[row] = open(params);
            lockBy(executor, ids[row]);
        }
        nextBlock();
    }

    function _fulfill(uint256 requestId, Fixture storage fixture, string memory name, uint256 bar) private {
        lockBy(executor, requestId);
        nextBlock();
        Case memory proven = fixture.cases[0];
        bytes memory input = provenInput(fixture, 0);
        vm.prank(executor);
        market.fulfill(requestId, 0, input, proven.output, proven.proof);
        uint256 used = vm.snapshotGasLastCall(GROUP, name);
        assertLe(used + FUSAKA, bar, "the bar");
    }
}
