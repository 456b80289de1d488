// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DigitReader} from "../../src/examples/DigitReader.sol";
import {IInferenceReceiver} from "../../src/interfaces/IInferenceReceiver.sol";
import {RequestParams} from "../../src/types/MarketTypes.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {Network} from "../Network.t.sol";

contract DigitReaderTest is Network {
    DigitReader internal reader;

    function setUp() public override {
        super.setUp();
        reader = new DigitReader(address(market), packedVersion);
    }

    function test_readsTheSchema() external view {
        assertEq(reader.MARKET(), address(market), "market");
        assertEq(reader.VERSION_ID(), packedVersion, "version");
        assertEq(reader.LABELS(), 3, "labels");
    }

    function test_actsOnAProvenOutput() external {
        // The highest scores of the fixtures' outputs, read off by hand: 0x3219 at 1, 0x16bd2 at 2, 0x4083 at 0, …
        uint8[4] memory expected = [1, 2, 0, 1];
        for (uint256 i = 0; i < packed.cases.length; ++i) {
            RequestParams memory params = paramsFor(packedVersion, packed, i);
            params.callback = address(reader);
            params.callbackGas = 150_000;
            uint256 requestId = open(params);
            lockBy(executor, requestId);
            nextBlock();
            vm.expectEmit(address(reader));
            emit DigitReader.DigitRead(requestId, requester, params.inputBinding, expected[i]);
            fulfillBy(executor, requestId, packed, i);
            assertEq(reader.digitOf(params.inputBinding), expected[i], "label");
        }
        assertEq(reader.countOf(0), 1, "zeros");
        assertEq(reader.countOf(1), 2, "ones");
        assertEq(reader.countOf(2), 1, "twos");
    }

    function test_believesOnlyTheMarketAndItsVersion() external {
        vm.expectRevert(abi.encodeWithSelector(IInferenceReceiver.InferenceReceiver_NotMarket.selector, stranger));
        vm.prank(stranger);
        reader.onInference(1, packedVersion, requester, 0, 0, packed.cases[0].output);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceReceiver.InferenceReceiver_OtherVersion.selector, kzgVersion, packedVersion
            )
        );
        vm.prank(address(market));
        reader.onInference(1, kzgVersion, requester, 0, 0, packed.cases[0].output);
        bytes32 binding = packed.cases[0].inputBinding;
        vm.expectRevert(abi.encodeWithSelector(DigitReader.DigitReader_UnknownInput.selector, binding));
        reader.digitOf(binding);
    }

    function test_negativeScoresAndTies() external {
        // int32: -2, -1, -1. The first of the highest wins.
        vm.prank(address(market));
        reader.onInference(1, packedVersion, requester, 0, bytes32(uint256(1)), hex"fffffffeffffffffffffffff");
        assertEq(reader.digitOf(bytes32(uint256(1))), 1, "label");
    }

    function test_everyWidth() external {
        bytes[5] memory scores = [
            bytes(hex"ff7f"),
            hex"ffff7fff",
            hex"ffffffff7fffffff",
            hex"ffffffffffffffff7fffffffffffffff",
            hex"ffffffffffffffffffffffffffffffff7fffffffffffffffffffffffffffffff"
        ];
        for (uint256 i = 0; i < 5; ++i) {
            VersionParams memory params = publication(packed, 0);
            params.ioSchema = bytes.concat(hex"0101020700000004", bytes1(uint8(1 << i)), hex"0e00000002");
            vm.prank(builder);
            uint64 versionId = registry.publishVersion(modelId, params);
            DigitReader wide = new DigitReader(address(market), versionId);
            vm.prank(address(market));
            wide.onInference(1, versionId, requester, 0, 0, scores[i]);
            assertEq(wide.digitOf(0), 1, "the highest positive beats minus one");
        }
    }

    function test_refusesVersionsItCannotRead() external {
        VersionParams memory params = publication(packed, 0);
        params.ioSchema = hex"0102020700000004040e00000003040e00000003";
        vm.prank(builder);
        uint64 versionId = registry.publishVersion(modelId, params);
        vm.expectRevert(abi.encodeWithSelector(DigitReader.DigitReader_NotOneOutput.selector, 2));
        new DigitReader(address(market), versionId);
        params.ioSchema = hex"0101020700000004040e00000101";
        vm.prank(builder);
        versionId = registry.publishVersion(modelId, params);
        vm.expectRevert(abi.encodeWithSelector(DigitReader.DigitReader_TooManyLabels.selector, 257));
        new DigitReader(address(market), versionId);
    }
}
