// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Receipt, ReceiptFlaw, SlotState} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice What makes a receipt worth something: each flaw alone, at its edges, as a client sees it.
contract CourtReceiptsTest is CourtNetwork {
    /// @dev Computed by hand, from the type string on, so that a change of either side shows.
    function test_theDigestIsEip712s() external view {
        Receipt memory r = honest(3);
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Gateless ReceiptCourt"),
                keccak256("1"),
                block.chainid,
                address(court)
            )
        );
        bytes memory head = abi.encode(
            keccak256(
                "Receipt(uint64 versionId,bytes32 inputBinding,bytes32 inputDigest,bytes32 outputDigest,address executor,address beneficiary,uint128 price,uint128 bond,uint64 issued,uint64 expires,uint64 epoch,uint32 slot)"
            ),
            r.versionId,
            r.inputBinding,
            r.inputDigest,
            r.outputDigest,
            r.executor,
            r.beneficiary
        );
        bytes memory tail = abi.encode(r.price, r.bond, r.issued, r.expires, r.epoch, r.slot);
        bytes32 expected = keccak256(abi.encodePacked("\x19\x01", domain, keccak256(bytes.concat(head, tail))));
        assertEq(court.digestOf(r), expected, "digest");
    }

    function test_anHonestReceiptHasNoFlaw() external view {
        assertFlaw(honest(0), ReceiptFlaw.NONE);
        assertFlaw(lie(0), ReceiptFlaw.NONE);
        assertFlaw(receiptFor(kzgVersion, kzg, 0, CAPACITY - 1), ReceiptFlaw.NONE);
    }

    function test_noPool() external {
        Receipt memory receipt = honest(0);
        receipt.executor = stranger;
        assertFlaw(receipt, ReceiptFlaw.NO_POOL);
        receipt = honest(0);
        receipt.epoch = epoch + 1;
        assertFlaw(receipt, ReceiptFlaw.NO_POOL);
        receipt = honest(0);
        outlive(epoch);
        court.releasePool(executor, epoch);
        assertFlaw(receipt, ReceiptFlaw.NO_POOL);
    }

    function test_aClosedPoolIsNone() external {
        openPool(executor, epoch + 1, 2);
        vm.prank(executor);
        court.closePool(epoch + 1);
        vm.warp((epoch + 1) * EPOCH);
        assertFlaw(honest(0), ReceiptFlaw.NO_POOL);
    }

    function test_beyondCapacity() external {
        assertFlaw(honest(CAPACITY - 1), ReceiptFlaw.NONE);
        assertFlaw(honest(CAPACITY), ReceiptFlaw.BEYOND_CAPACITY);
        assertFlaw(honest(type(uint32).max), ReceiptFlaw.BEYOND_CAPACITY);
        vm.prank(executor);
        court.growPool(epoch, 1);
        assertFlaw(honest(CAPACITY), ReceiptFlaw.NONE);
    }

    function test_otherBond() external view {
        Receipt memory receipt = honest(0);
        receipt.bond = BOND - 1;
        assertFlaw(receipt, ReceiptFlaw.OTHER_BOND);
        receipt.bond = BOND + 1;
        assertFlaw(receipt, ReceiptFlaw.OTHER_BOND);
        // The same in 96 bits.
        receipt.bond = uint128(1 << 96) + BOND;
        assertFlaw(receipt, ReceiptFlaw.OTHER_BOND);
    }

    function test_otherEpoch() external {
        Receipt memory receipt = honest(0);
        receipt.issued = epoch * EPOCH - 1;
        assertFlaw(receipt, ReceiptFlaw.OTHER_EPOCH);
        receipt.issued = (epoch + 1) * EPOCH;
        assertFlaw(receipt, ReceiptFlaw.OTHER_EPOCH);
        vm.warp((epoch + 1) * EPOCH - 1);
        receipt.issued = (epoch + 1) * EPOCH - 1;
        assertFlaw(receipt, ReceiptFlaw.NONE);
        receipt.issued = epoch * EPOCH;
        assertFlaw(receipt, ReceiptFlaw.NONE);
    }

    function test_notYetIssued() external {
        Receipt memory receipt = honest(0);
        receipt.issued += 1;
        assertFlaw(receipt, ReceiptFlaw.NOT_YET_ISSUED);
        nextBlock();
        assertFlaw(receipt, ReceiptFlaw.NONE);
    }

    function test_lifeOutOfRange() external view {
        Receipt memory receipt = honest(0);
        receipt.expires = receipt.issued + RECEIPT_LIFE + 1;
        assertFlaw(receipt, ReceiptFlaw.LIFE_OUT_OF_RANGE);
        receipt.expires = receipt.issued - 1;
        assertFlaw(receipt, ReceiptFlaw.LIFE_OUT_OF_RANGE);
        receipt.expires = type(uint64).max;
        assertFlaw(receipt, ReceiptFlaw.LIFE_OUT_OF_RANGE);
        receipt.expires = receipt.issued;
        assertFlaw(receipt, ReceiptFlaw.NONE);
    }

    function test_foreignSignature() external {
        Receipt memory receipt = honest(0);
        (, uint256 otherKey) = makeAddrAndKey("somebody else");
        assertEq(
            uint256(court.flawOf(receipt, signWith(otherKey, receipt))),
            uint256(ReceiptFlaw.FOREIGN_SIGNATURE),
            "another key"
        );
        // The staking account's own key is not the receipt key.
        assertEq(
            uint256(court.flawOf(receipt, signWith(executorKey, receipt))),
            uint256(ReceiptFlaw.FOREIGN_SIGNATURE),
            "the account's key"
        );
    }

    function test_aSignatureThatIsNone() external view {
        Receipt memory receipt = honest(0);
        bytes memory good = sign(receipt);
        bytes[5] memory bad = [bytes(""), new bytes(64), new bytes(65), bytes.concat(good, hex"00"), _malleated(good)];
        for (uint256 i = 0; i < bad.length; ++i) {
            assertEq(uint256(court.flawOf(receipt, bad[i])), uint256(ReceiptFlaw.FOREIGN_SIGNATURE), "no signature");
        }
    }

    function test_expired() external {
        Receipt memory receipt = honest(0);
        vm.warp(receipt.expires);
        assertFlaw(receipt, ReceiptFlaw.NONE);
        vm.warp(receipt.expires + 1);
        assertFlaw(receipt, ReceiptFlaw.EXPIRED);
    }

    function test_slotSlashed() external {
        slashed(challenged(lie(4)));
        assertFlaw(lie(4), ReceiptFlaw.SLOT_SLASHED);
        assertFlaw(lie(5), ReceiptFlaw.NONE);
        assertSlot(4, SlotState.SLASHED);
        assertSlot(5, SlotState.INTACT);
    }

    function test_slots() external view {
        assertSlot(0, SlotState.INTACT);
        assertSlot(CAPACITY - 1, SlotState.INTACT);
        assertSlot(CAPACITY, SlotState.WORTHLESS);
        assertSlot(CAPACITY + 1, SlotState.WORTHLESS);
        assertEq(uint256(court.slotOf(stranger, epoch, 0)), uint256(SlotState.WORTHLESS), "no pool");
    }

    function test_flawsOfAForfeitedPoolAreTheReceiptsOwn() external {
        reportBy(challenger, honest(0), lie(0));
        assertFlaw(lie(1), ReceiptFlaw.NONE);
        assertEq(pool().reporter, challenger, "what clients look at beside");
    }

    /// @dev The other of the two signatures that every ECDSA signature is.
    function _malleated(bytes memory signature) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s, uint8 v) = (bytes32(0), bytes32(0), uint8(signature[64]));
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
        }
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        return abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
    }
}
