// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SignedRequests} from "../../src/libraries/SignedRequests.sol";
import {RequestParams, SignedRequest} from "../../src/types/MarketTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {Base} from "../Base.t.sol";

/// @dev Calldata for the library.
contract Hasher {
    function structHash(SignedRequest calldata signed) external pure returns (bytes32) {
        return SignedRequests.structHash(signed);
    }
}

/// @notice The vectors that Python's tests read too: whoever signs elsewhere finds the same hashes there.
contract SigningVectorsTest is Base {
    string internal json;

    function setUp() public {
        json = vm.readFile("contracts/test/fixtures/signed_requests.json");
        assertEq(vm.parseJsonUint(json, ".version"), 1, "version of the vectors");
    }

    function test_everyCaseHasItsHashes() external {
        Hasher hasher = new Hasher();
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
        assertTrue(count != 0, "there are cases");
        for (uint256 i = 0; i < count; ++i) {
            string memory at = string.concat(".cases[", vm.toString(i), "].");
            SignedRequest memory signed = SignedRequest({
                requester: vm.parseJsonAddress(json, string.concat(at, "requester")),
                params: _params(at),
                nonce: vm.parseJsonUint(json, string.concat(at, "nonce")),
                inputHint: vm.parseJsonString(json, string.concat(at, "inputHint"))
            });
            bytes32 structHash = hasher.structHash(signed);
            assertEq(structHash, vm.parseJsonBytes32(json, string.concat(at, "structHash")), "struct");
            bytes32 digest = keccak256(abi.encodePacked("\x19\x01", separator, structHash));
            assertEq(digest, vm.parseJsonBytes32(json, string.concat(at, "digest")), "digest");
        }
    }

    function _params(string memory at) private view returns (RequestParams memory params) {
        params.versionId = uint64(_number(at, "versionId"));
        params.mode = TrustMode(_number(at, "mode"));
        params.inputDigest = vm.parseJsonBytes32(json, string.concat(at, "inputDigest"));
        params.inputBinding = vm.parseJsonBytes32(json, string.concat(at, "inputBinding"));
        params.maxPrice = uint128(_number(at, "maxPrice"));
        params.minPrice = uint128(_number(at, "minPrice"));
        params.rampStart = uint64(_number(at, "rampStart"));
        params.rampLength = uint32(_number(at, "rampLength"));
        params.collateral = uint128(_number(at, "collateral"));
        params.deadline = uint64(_number(at, "deadline"));
        params.lockDuration = uint32(_number(at, "lockDuration"));
        params.executor = vm.parseJsonAddress(json, string.concat(at, "executor"));
        params.callback = vm.parseJsonAddress(json, string.concat(at, "callback"));
        params.callbackGas = uint32(_number(at, "callbackGas"));
    }

    function _number(string memory at, string memory name) private view returns (uint256) {
        return vm.parseJsonUint(json, string.concat(at, name));
    }
}
