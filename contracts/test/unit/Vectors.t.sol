// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Tensor} from "../../src/consumer/Tensor.sol";
import {TestDollar} from "../../src/development/TestDollar.sol";
import {AttestedAnswer} from "../../src/interfaces/IAttestationVerifier.sol";
import {IKeySetVerifier} from "../../src/interfaces/IKeySetVerifier.sol";
import {IoSchema} from "../../src/libraries/IoSchema.sol";
import {PackedTensor} from "../../src/libraries/PackedTensor.sol";
import {KeySets} from "../KeySets.t.sol";
import {TensorUser} from "../TensorUser.t.sol";

/// @dev One packed integer as a field element, by the library that the verifier uses.
contract Felt {
    function read(bytes calldata packed) external pure returns (uint256 felt) {
        uint256[] memory word = new uint256[](1);
        uint256 source;
        uint256 destination;
        assembly ("memory-safe") {
            source := packed.offset
            destination := add(word, 0x20)
        }
        PackedTensor.unpack(source, packed.length, source + packed.length, packed.length, 1, destination);
        return word[0];
    }
}

/// @notice The contracts against `fixtures/vectors.json`, which `tests/core/test_vectors.py` holds the Python package
/// against, and which dApps are given.
contract VectorsTest is KeySets {
    string internal json = vm.readFile("contracts/test/fixtures/vectors.json");
    TensorUser internal user = new TensorUser();

    function test_theFormatIsTheOneReadHere() external view {
        assertEq(vm.parseJsonUint(json, ".format"), 1, "format");
    }

    function test_packing() external view {
        uint256 count;
        for (; _has("packing", count); ++count) {
            string memory at = _at("packing", count);
            uint256 width = _uint(at, ".width");
            bytes memory packed = _bytes(at, ".packed");
            int256[] memory values = _ints(at, ".values");
            assertEq(user.pack(values, width), packed, "packed");
            assertEq(keccak256(packed), _word(at, ".digest"), "digest");
            assertEq(abi.encode(user.unpack(packed, width)), abi.encode(values), "unpacked");
            if (values.length == 0) continue;
            assertEq(user.argmax(packed, width), _uint(at, ".argmax"), "argmax");
            (uint256 smallest,) = user.min(packed, width);
            assertEq(smallest, _uint(at, ".argmin"), "argmin");
        }
        assertEq(count, 20, "four lists of five widths");
    }

    function test_schemas() external view {
        uint256 count;
        for (; _has("schemas", count); ++count) {
            string memory at = _at("schemas", count);
            bytes memory schema = _bytes(at, ".schema");
            assertTrue(IoSchema.isValid(schema), "valid");
            bytes memory input = _bytes(at, ".packedInput");
            assertEq(keccak256(input), _word(at, ".inputDigest"), "digest");
            for (uint256 i = 0; i < IoSchema.inputCount(schema); ++i) {
                _assertTensor(string.concat(at, ".inputs[", vm.toString(i), "]"), user.inputLayout(schema, i), input);
            }
            bytes memory output = _bytes(at, ".packedOutput");
            for (uint256 i = 0; i < IoSchema.outputCount(schema); ++i) {
                _assertTensor(string.concat(at, ".outputs[", vm.toString(i), "]"), user.outputLayout(schema, i), output);
            }
        }
        assertEq(count, 4, "schemas");
    }

    function test_numbers() external view {
        uint256 count;
        for (; _has("numbers", count); ++count) {
            string memory at = _at("numbers", count);
            int256 value = _int(at, ".value");
            int8 scaleBits = int8(_int(at, ".scaleBits"));
            uint256 decimals = _uint(at, ".decimals");
            assertEq(user.toDecimals(value, scaleBits, decimals), _int(at, ".toDecimals"), "to");
            assertEq(user.fromDecimals(value, decimals, scaleBits), _int(at, ".fromDecimals"), "from");
        }
        assertEq(count, 32, "numbers");
    }

    function test_felts() external {
        Felt felt = new Felt();
        uint256 count;
        for (; _has("felts", count); ++count) {
            string memory at = _at("felts", count);
            int256[] memory value = new int256[](1);
            value[0] = _int(at, ".value");
            assertEq(felt.read(user.pack(value, 16)), _uint(at, ".felt"), "felt");
        }
        assertEq(count, 6, "felts");
    }

    function test_versionIds() external view {
        uint256 count;
        for (; _has("versionIds", count); ++count) {
            string memory at = _at("versionIds", count);
            uint256 versionId = _uint(at, ".modelId") << 32 | _uint(at, ".index");
            assertEq(versionId, _uint(at, ".versionId"), "version id");
        }
        assertEq(count, 4, "version ids");
    }

    /// @notice Signatures by eth-account, at the vectors' address and on their chain.
    function test_keySets() external {
        vm.chainId(31_337);
        uint256 count;
        for (; _has("keySets", count); ++count) {
            string memory at = _at("keySets", count);
            vm.etch(vm.parseJsonAddress(json, string.concat(at, ".domain.verifyingContract")), address(keySets).code);
            _assertAttestation(at);
        }
        assertEq(count, 3, "key sets");
    }

    function test_permits() external {
        vm.chainId(31_337);
        TestDollar deployed = new TestDollar();
        string memory at = _at("permits", 0);
        TestDollar dollar = TestDollar(vm.parseJsonAddress(json, string.concat(at, ".domain.verifyingContract")));
        vm.etch(address(dollar), address(deployed).code);
        bytes memory signature = _bytes(at, ".signature");
        (bytes32 r, bytes32 s, uint8 v) = (_wordAt(signature, 0), _wordAt(signature, 32), uint8(signature[64]));
        address owner = vm.parseJsonAddress(json, string.concat(at, ".message.owner"));
        address spender = vm.parseJsonAddress(json, string.concat(at, ".message.spender"));
        uint256 value = _uint(at, ".message.value");
        dollar.permit(owner, spender, value, _uint(at, ".message.deadline"), v, r, s);
        assertEq(dollar.allowance(owner, spender), value, "allowed");
    }

    function _assertAttestation(string memory at) private view {
        AttestedAnswer memory answer = AttestedAnswer({
            market: vm.parseJsonAddress(json, string.concat(at, ".message.market")),
            requestId: _uint(at, ".message.requestId"),
            versionId: uint64(_uint(at, ".message.versionId")),
            inputDigest: _word(at, ".message.inputDigest"),
            outputDigest: _word(at, ".message.outputDigest"),
            executor: vm.parseJsonAddress(json, string.concat(at, ".message.executor"))
        });
        address where = vm.parseJsonAddress(json, string.concat(at, ".domain.verifyingContract"));
        address[] memory keys = vm.parseJsonAddressArray(json, string.concat(at, ".keys"));
        bytes32 policy = _word(at, ".policy");
        assertEq(keySets.policyOf(uint8(_uint(at, ".threshold")), keys), policy, "policy");
        assertEq(IKeySetVerifier(where).digestOf(answer), _word(at, ".digest"), "digest");
        IKeySetVerifier(where).verifyAttestation(policy, answer, _bytes(at, ".evidence"));
    }

    function _assertTensor(string memory at, Tensor.Layout memory layout, bytes memory packed) private view {
        assertEq(layout.offset, _uint(at, ".offset"), "offset");
        assertEq(layout.width, _uint(at, ".width"), "width");
        assertEq(int256(layout.scaleBits), _int(at, ".scaleBits"), "scale");
        bytes memory part = user.slice(packed, layout);
        assertEq(part, _bytes(at, ".packed"), "slice");
        assertEq(abi.encode(user.unpack(part, layout.width)), abi.encode(_ints(at, ".values")), "values");
    }

    function _has(string memory name, uint256 index) private view returns (bool) {
        return vm.keyExistsJson(json, _at(name, index));
    }

    function _at(string memory name, uint256 index) private pure returns (string memory) {
        return string.concat(".", name, "[", vm.toString(index), "]");
    }

    function _bytes(string memory at, string memory key) private view returns (bytes memory) {
        return vm.parseJsonBytes(json, string.concat(at, key));
    }

    function _word(string memory at, string memory key) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, string.concat(at, key));
    }

    function _uint(string memory at, string memory key) private view returns (uint256) {
        return vm.parseJsonUint(json, string.concat(at, key));
    }

    function _int(string memory at, string memory key) private view returns (int256) {
        return vm.parseJsonInt(json, string.concat(at, key));
    }

    function _ints(string memory at, string memory key) private view returns (int256[] memory) {
        return vm.parseJsonIntArray(json, string.concat(at, key));
    }

    function _wordAt(bytes memory data, uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), offset))
        }
    }
}
