// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyHashes} from "../../src/libraries/LazyHashes.sol";
import {LazyClaim, LazyRequest} from "../../src/types/LazyTypes.sol";
import {Base} from "../Base.t.sol";

/// @dev Calldata for the library.
contract LazyHasher {
    function structHash(LazyRequest calldata request) external pure returns (bytes32) {
        return LazyHashes.structHash(request);
    }

    function hashShown(LazyClaim calldata claim) external pure returns (bytes32) {
        return LazyHashes.hashShown(claim);
    }
}

/// @notice The vectors that Python's tests read too: whoever signs or doubts elsewhere finds the same hashes there.
contract LazyVectorsTest is Base {
    string internal json;
    LazyHasher internal hasher;

    function setUp() public {
        json = vm.readFile("contracts/test/fixtures/lazy_requests.json");
        assertEq(vm.parseJsonUint(json, ".version"), 1, "version of the vectors");
        hasher = new LazyHasher();
    }

    function test_everyRequestHasItsHashes() external {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(vm.parseJsonString(json, ".domain.name"))),
                keccak256(bytes(vm.parseJsonString(json, ".domain.version"))),
                vm.parseJsonUint(json, ".domain.chainId"),
                vm.parseJsonAddress(json, ".domain.verifyingContract")
            )
        );
        uint256 count = vm.parseJsonUint(json, ".count");
        assertTrue(count != 0, "there are requests");
        for (uint256 i = 0; i < count; ++i) {
            string memory at = string.concat(".requests[", vm.toString(i), "].");
            bytes32 structHash = hasher.structHash(_request(at));
            assertEq(structHash, vm.parseJsonBytes32(json, string.concat(at, "structHash")), "struct");
            bytes32 digest = keccak256(abi.encodePacked("\x19\x01", separator, structHash));
            assertEq(digest, vm.parseJsonBytes32(json, string.concat(at, "digest")), "digest");
        }
    }

    function test_everyClaimHasItsHashAndCommitment() external view {
        address challenger = vm.parseJsonAddress(json, ".challenger");
        address market = vm.parseJsonAddress(json, ".domain.verifyingContract");
        bytes32 salt = vm.parseJsonBytes32(json, ".salt");
        uint256 count = vm.parseJsonUint(json, ".count");
        for (uint256 i = 0; i < count; ++i) {
            string memory at = string.concat(".claims[", vm.toString(i), "].");
            LazyClaim memory claim = _claim(at);
            bytes32 expected = vm.parseJsonBytes32(json, string.concat(at, "hash"));
            assertEq(hasher.hashShown(claim), expected, "shown");
            assertEq(LazyHashes.hash(claim), expected, "made");
            bytes32 commitment = LazyHashes.commitment(challenger, market, expected, salt);
            assertEq(commitment, vm.parseJsonBytes32(json, string.concat(at, "commitment")), "commitment");
        }
    }

    function _request(string memory at) private view returns (LazyRequest memory request) {
        request.requester = _address(at, "requester");
        request.versionId = uint64(_number(at, "versionId"));
        request.inputDigest = _word(at, "inputDigest");
        request.inputBinding = _word(at, "inputBinding");
        request.maxPrice = uint128(_number(at, "maxPrice"));
        request.minPrice = uint128(_number(at, "minPrice"));
        request.rampStart = uint64(_number(at, "rampStart"));
        request.rampLength = uint32(_number(at, "rampLength"));
        request.collateral = uint128(_number(at, "collateral"));
        request.deadline = uint64(_number(at, "deadline"));
        request.lockDuration = uint32(_number(at, "lockDuration"));
        request.challengeWindow = uint32(_number(at, "challengeWindow"));
        request.responseWindow = uint32(_number(at, "responseWindow"));
        request.auditBps = uint16(_number(at, "auditBps"));
        request.executor = _address(at, "executor");
        request.callback = _address(at, "callback");
        request.callbackGas = uint32(_number(at, "callbackGas"));
        request.nonce = _number(at, "nonce");
        request.inputHint = vm.parseJsonString(json, string.concat(at, "inputHint"));
    }

    function _claim(string memory at) private view returns (LazyClaim memory claim) {
        claim.requestId = _number(at, "requestId");
        claim.versionId = uint64(_number(at, "versionId"));
        claim.requester = _address(at, "requester");
        claim.executor = _address(at, "executor");
        claim.inputBinding = _word(at, "inputBinding");
        claim.inputDigest = _word(at, "inputDigest");
        claim.outputDigest = _word(at, "outputDigest");
        claim.price = uint128(_number(at, "price"));
        claim.royaltyBps = uint16(_number(at, "royaltyBps"));
        claim.collateral = uint128(_number(at, "collateral"));
        claim.challengeDeadline = uint64(_number(at, "challengeDeadline"));
        claim.responseWindow = uint32(_number(at, "responseWindow"));
        claim.auditBps = uint16(_number(at, "auditBps"));
        claim.answeredBlock = uint64(_number(at, "answeredBlock"));
        claim.callback = _address(at, "callback");
        claim.callbackGas = uint32(_number(at, "callbackGas"));
    }

    function _number(string memory at, string memory name) private view returns (uint256) {
        return vm.parseJsonUint(json, string.concat(at, name));
    }

    function _address(string memory at, string memory name) private view returns (address) {
        return vm.parseJsonAddress(json, string.concat(at, name));
    }

    function _word(string memory at, string memory name) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, string.concat(at, name));
    }
}
