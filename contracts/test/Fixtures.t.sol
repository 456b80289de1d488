// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Circuit, CircuitRole, InputBinding, TrustMode, VersionParams} from "../src/types/ModelTypes.sol";
import {Base} from "./Base.t.sol";

/// @title Real keys and proofs
/// @notice Made by ezkl from tiny networks under the development SRS; nothing in these tests stands in for a proof.
abstract contract Fixtures is Base {
    /// @notice One proof. Of a batch circuit, input and output hold all rows, one after the other.
    struct Case {
        bytes input;
        bytes32 inputBinding;
        bytes output;
        bytes proof;
    }

    /// @notice A circuit with its key and proofs.
    struct Fixture {
        bytes ioSchema;
        InputBinding binding;
        uint32 batchSize;
        uint16 digitBits;
        uint16 digitsPerWord;
        bytes32[] vka;
        bytes32 vkaDigest;
        uint32 proofLength;
        Case[] cases;
    }

    uint8 internal constant ZK = uint8(1 << uint8(TrustMode.ZK));
    /// @dev What the publications of the fixtures state.
    uint32 internal constant PROOF_SECONDS = 3;

    /// @notice Words 20 to 23 of every key under the development SRS, independently of the fixtures.
    function developmentG2() internal pure returns (bytes32[4] memory) {
        return [
            bytes32(0x10ae62d5a3cc59c0840347b5f4673541e70d3a28118e74fdcb73e1dbe342fec0),
            0x01a31ff4ec4bc51e87e9b8992bdd2fd4c85ba722be037f36ab6e88f6cbd31443,
            0x12ae3aa462e11e0c2b1c68ce6a43b862bd990ae80e8dcd11b2db9ac49b5fefe5,
            0x014bccd78c83d23d1ae629122410b94aeedb43e99412d3fa016607b9ceac9f46
        ];
    }

    /// @notice Reads `fixtures/<name>.json`.
    function loadFixture(Fixture storage fixture, string memory name) internal {
        string memory json = vm.readFile(string.concat("contracts/test/fixtures/", name, ".json"));
        fixture.ioSchema = vm.parseJsonBytes(json, ".ioSchema");
        fixture.binding = InputBinding(vm.parseJsonUint(json, ".binding"));
        fixture.batchSize = 1;
        if (vm.keyExistsJson(json, ".batchSize")) {
            fixture.batchSize = uint32(vm.parseJsonUint(json, ".batchSize"));
            fixture.digitBits = uint16(vm.parseJsonUint(json, ".digitBits"));
            fixture.digitsPerWord = uint16(vm.parseJsonUint(json, ".digitsPerWord"));
        }
        fixture.vka = vm.parseJsonBytes32Array(json, ".vka");
        fixture.vkaDigest = vm.parseJsonBytes32(json, ".vkaDigest");
        fixture.proofLength = uint32(vm.parseJsonUint(json, ".proofLength"));
        for (uint256 i = 0;; ++i) {
            string memory at = string.concat(".cases[", vm.toString(i), "]");
            if (!vm.keyExistsJson(json, at)) break;
            Case storage proven = fixture.cases.push();
            proven.input = vm.parseJsonBytes(json, string.concat(at, ".input"));
            proven.inputBinding = vm.parseJsonBytes32(json, string.concat(at, ".inputBinding"));
            proven.output = vm.parseJsonBytes(json, string.concat(at, ".output"));
            proven.proof = vm.parseJsonBytes(json, string.concat(at, ".proof"));
        }
    }

    /// @notice Deploys the verifier that the build generated from ezkl.
    function deployHalo2Verifier() internal returns (address deployed) {
        string memory json = vm.readFile("contracts/generated/Halo2VerifierReusable.json");
        bytes memory creation = vm.parseJsonBytes(json, ".bytecode");
        assembly ("memory-safe") {
            deployed := create(0, add(creation, 0x20), mload(creation))
        }
        require(deployed != address(0), "the generated verifier does not deploy");
    }

    /// @notice The circuit as the registry pins it.
    function circuitOf(Fixture storage fixture) internal view returns (Circuit memory) {
        return Circuit({
            vkaDigest: fixture.vkaDigest,
            role: CircuitRole.WHOLE,
            batchSize: fixture.batchSize,
            proofLength: fixture.proofLength,
            digitBits: fixture.digitBits,
            digitsPerWord: fixture.digitsPerWord
        });
    }

    /// @notice One of the equally long rows of a batch's input or output.
    function rowOf(bytes memory rows, uint256 count, uint256 index) internal pure returns (bytes memory row) {
        row = new bytes(rows.length / count);
        for (uint256 i = 0; i < row.length; ++i) {
            row[i] = rows[index * row.length + i];
        }
    }

    /// @notice A publication of a fixture's model in mode `ZK`.
    function publication(Fixture storage fixture, uint16 royaltyBps) internal view returns (VersionParams memory) {
        Circuit[] memory circuits = new Circuit[](1);
        circuits[0] = circuitOf(fixture);
        return VersionParams({
            modelDigest: keccak256(abi.encode("model", fixture.vkaDigest)),
            manifestDigest: keccak256(abi.encode("manifest", fixture.vkaDigest)),
            ioSchema: fixture.ioSchema,
            binding: fixture.binding,
            modes: ZK,
            royaltyBps: royaltyBps,
            proofSeconds: PROOF_SECONDS,
            repeatable: true,
            circuits: circuits,
            uri: "https://bundles.example/digits"
        });
    }

    /// @notice What `fulfill` takes as input: the packed bytes, or nothing where the proof carries the commitment.
    function provenInput(Fixture storage fixture, uint256 index) internal view returns (bytes memory) {
        return fixture.binding == InputBinding.PACKED ? fixture.cases[index].input : bytes("");
    }
}
