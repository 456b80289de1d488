// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {Receipts} from "../../src/libraries/Receipts.sol";
import {Receipt} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @dev The library, with receipts in calldata.
contract ReceiptHashes {
    function hash(Receipt calldata receipt) external pure returns (bytes32) {
        return Receipts.hash(receipt);
    }

    function packedDigest(Receipt calldata receipt) external pure returns (bytes32) {
        return Receipts.packedDigest(receipt);
    }
}

/// @notice The court against the receipts of `fixtures/vectors.json`, which the Python package and the example page are
/// held against too.
contract ReceiptVectorsTest is CourtNetwork {
    string internal json = vm.readFile("contracts/test/fixtures/vectors.json");

    /// @notice eth-account's digests and signatures, at the vectors' address and on their chain.
    function test_receipts() external {
        vm.chainId(31_337);
        ReceiptHashes hashes = new ReceiptHashes();
        uint256 count;
        for (; vm.keyExistsJson(json, _at(count)); ++count) {
            string memory at = _at(count);
            Receipt memory receipt = _receipt(string.concat(at, ".message"));
            address where = _address(at, ".domain.verifyingContract");
            vm.etch(where, address(court).code);
            bytes32 digest = IReceiptCourt(where).digestOf(receipt);
            assertEq(digest, _word(at, ".digest"), "digest");
            assertEq(hashes.hash(receipt), _word(at, ".structHash"), "struct hash");
            assertEq(hashes.packedDigest(receipt), _word(at, ".packedDigest"), "packed digest");
            bytes32 subject = Receipts.subject(receipt.versionId, receipt.inputBinding, receipt.outputDigest);
            assertEq(subject, _word(at, ".subject"), "subject");
            bytes memory signature = vm.parseJsonBytes(json, string.concat(at, ".signature"));
            assertEq(ECDSA.recover(digest, signature), _address(at, ".receiptKey"), "signed by the key");
        }
        assertEq(count, 3, "receipts");
    }

    /// @notice The digest is of this chain and this court.
    function test_anotherCourtAsksForAnotherSignature() external {
        vm.chainId(31_337);
        Receipt memory receipt = _receipt(".receipts[0].message");
        assertTrue(court.digestOf(receipt) != _word(".receipts[0]", ".digest"), "another address");
        address where = _address(".receipts[0]", ".domain.verifyingContract");
        vm.etch(where, address(court).code);
        vm.chainId(1);
        assertTrue(IReceiptCourt(where).digestOf(receipt) != _word(".receipts[0]", ".digest"), "another chain");
    }

    function _receipt(string memory at) private view returns (Receipt memory) {
        return Receipt({
            versionId: uint64(_uint(at, ".versionId")),
            inputBinding: _word(at, ".inputBinding"),
            inputDigest: _word(at, ".inputDigest"),
            outputDigest: _word(at, ".outputDigest"),
            executor: _address(at, ".executor"),
            beneficiary: _address(at, ".beneficiary"),
            price: uint128(_uint(at, ".price")),
            bond: uint128(_uint(at, ".bond")),
            issued: uint64(_uint(at, ".issued")),
            expires: uint64(_uint(at, ".expires")),
            epoch: uint64(_uint(at, ".epoch")),
            slot: uint32(_uint(at, ".slot"))
        });
    }

    function _at(uint256 index) private pure returns (string memory) {
        return string.concat(".receipts[", vm.toString(index), "]");
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
}
