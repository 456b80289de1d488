// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedHashes} from "../../src/attested/AttestedHashes.sol";
import {AttestedRequest} from "../../src/attested/AttestedTypes.sol";
import {QuorumHashes} from "../../src/quorum/QuorumHashes.sol";
import {QuorumRequest} from "../../src/quorum/QuorumTypes.sol";
import {Base} from "../Base.t.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @dev Calldata for the libraries.
contract RecordHasher {
    function quorum(QuorumRequest calldata request) external pure returns (bytes32) {
        return QuorumHashes.structHash(request);
    }

    function attested(AttestedRequest calldata request) external pure returns (bytes32) {
        return AttestedHashes.structHash(request);
    }
}

/// @notice The hashes of requests to quorums and for attested answers against `fixtures/vectors.json`, which the Python
/// package and the example page are held against too.
contract RecordVectorsTest is Base {
    string internal json = vm.readFile("contracts/test/fixtures/vectors.json");
    RecordHasher internal hasher = new RecordHasher();

    function test_quorumRequests() external view {
        uint256 count;
        for (; vm.keyExistsJson(json, _at("quorumRequests", count)); ++count) {
            string memory at = _at("quorumRequests", count);
            _assertHashes(at, hasher.quorum(_quorum(string.concat(at, ".message"))));
        }
        assertEq(count, 3, "requests");
    }

    function test_attestedRequests() external view {
        uint256 count;
        for (; vm.keyExistsJson(json, _at("attestedRequests", count)); ++count) {
            string memory at = _at("attestedRequests", count);
            _assertHashes(at, hasher.attested(_attested(string.concat(at, ".message"))));
        }
        assertEq(count, 3, "requests");
    }

    function _assertHashes(string memory at, bytes32 structHash) private view {
        assertEq(structHash, _word(at, ".structHash"), "struct hash");
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(_text(at, ".domain.name"))),
                keccak256(bytes(_text(at, ".domain.version"))),
                _uint(at, ".domain.chainId"),
                _address(at, ".domain.verifyingContract")
            )
        );
        bytes32 digest = MessageHashUtils.toTypedDataHash(separator, structHash);
        assertEq(digest, _word(at, ".digest"), "digest");
    }

    function _quorum(string memory at) private view returns (QuorumRequest memory request) {
        request.requester = _address(at, ".requester");
        request.versionId = uint64(_uint(at, ".versionId"));
        request.runtimeClass = _word(at, ".runtimeClass");
        request.inputDigest = _word(at, ".inputDigest");
        request.inputBinding = _word(at, ".inputBinding");
        request.price = uint128(_uint(at, ".price"));
        request.members = uint8(_uint(at, ".members"));
        request.threshold = uint8(_uint(at, ".threshold"));
        request.minEligible = uint128(_uint(at, ".minEligible"));
        request.deadline = uint64(_uint(at, ".deadline"));
        request.commitWindow = uint32(_uint(at, ".commitWindow"));
        request.revealWindow = uint32(_uint(at, ".revealWindow"));
        request.callback = _address(at, ".callback");
        request.callbackGas = uint32(_uint(at, ".callbackGas"));
        request.nonce = _uint(at, ".nonce");
        request.inputHint = _text(at, ".inputHint");
    }

    function _attested(string memory at) private view returns (AttestedRequest memory request) {
        request.requester = _address(at, ".requester");
        request.versionId = uint64(_uint(at, ".versionId"));
        request.inputDigest = _word(at, ".inputDigest");
        request.inputBinding = _word(at, ".inputBinding");
        request.maxPrice = uint128(_uint(at, ".maxPrice"));
        request.minPrice = uint128(_uint(at, ".minPrice"));
        request.rampStart = uint64(_uint(at, ".rampStart"));
        request.rampLength = uint32(_uint(at, ".rampLength"));
        request.deadline = uint64(_uint(at, ".deadline"));
        request.verifier = _address(at, ".verifier");
        request.policy = _word(at, ".policy");
        request.executor = _address(at, ".executor");
        request.callback = _address(at, ".callback");
        request.callbackGas = uint32(_uint(at, ".callbackGas"));
        request.nonce = _uint(at, ".nonce");
        request.inputHint = _text(at, ".inputHint");
    }

    function _at(string memory name, uint256 index) private pure returns (string memory) {
        return string.concat(".", name, "[", vm.toString(index), "]");
    }

    function _uint(string memory at, string memory key) private view returns (uint256) {
        return vm.parseJsonUint(json, string.concat(at, key));
    }

    function _word(string memory at, string memory key) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, string.concat(at, key));
    }

    function _address(string memory at, string memory key) private view returns (address) {
        return vm.parseJsonAddress(json, string.concat(at, key));
    }

    function _text(string memory at, string memory key) private view returns (string memory) {
        return vm.parseJsonString(json, string.concat(at, key));
    }
}
