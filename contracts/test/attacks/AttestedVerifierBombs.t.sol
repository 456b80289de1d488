// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest, AttestedState} from "../../src/attested/AttestedTypes.sol";
import {IAttestedMarket} from "../../src/attested/IAttestedMarket.sol";
import {AttestedAnswer, IAttestationVerifier} from "../../src/interfaces/IAttestationVerifier.sol";
import {AttestedNetwork} from "../AttestedNetwork.t.sol";

/// @notice A verifier that burns all gas, returns a bomb, answers everything in the same way, or is none at all.
contract AttestedVerifierBombsAttack is AttestedNetwork {
    function test_attack_burningGas() external {
        (uint256 requestId, AttestedRequest memory asked) = _open(address(new BurningVerifier()));
        uint256 before = gasleft();
        _refused(requestId, asked, "");
        vm.prank(executor);
        market.fulfill(asked, 0, output, "");
        assertLe(before - gasleft(), market.VERIFIER_GAS() + 200_000, "no more than it may");
        assertState(requestId, AttestedState.OPEN);
    }

    function test_attack_aRevertThatIsABomb() external {
        (uint256 requestId, AttestedRequest memory asked) = _open(address(new BombingVerifier()));
        // Its memory, of which the free pointer is not zero, cut.
        bytes memory cut = new bytes(256);
        cut[95] = 0x80;
        _refused(requestId, asked, cut);
        vm.prank(executor);
        market.fulfill(asked, 0, output, "");
    }

    /// @dev It answers yes with a bomb behind the yes: one word is what it takes.
    function test_attack_aYesThatIsABomb() external {
        (uint256 requestId, AttestedRequest memory asked) = _open(address(new LongVerifier()));
        bytes memory cut = new bytes(256);
        bytes4 yes = IAttestationVerifier.verifyAttestation.selector;
        for (uint256 i = 0; i < 4; ++i) {
            cut[i] = yes[i];
        }
        _refused(requestId, asked, cut);
        vm.prank(executor);
        market.fulfill(asked, 0, output, "");
    }

    /// @dev A contract that answers every call with one, or with its own selector and dirt behind it.
    function test_attack_whoAnswersEverything() external {
        (uint256 requestId, AttestedRequest memory asked) = _open(address(new ConstantVerifier(bytes32(uint256(1)))));
        _refused(requestId, asked, abi.encode(1));
        vm.prank(executor);
        market.fulfill(asked, 0, output, "");

        bytes32 dirty = bytes32(IAttestationVerifier.verifyAttestation.selector) | bytes32(uint256(1));
        (requestId, asked) = _open(address(new ConstantVerifier(dirty)));
        _refused(requestId, asked, abi.encode(dirty));
        vm.prank(executor);
        market.fulfill(asked, 0, output, "");
    }

    /// @dev It reverts with the very word that would be a yes.
    function test_attack_aNoThatLooksLikeAYes() external {
        (uint256 requestId, AttestedRequest memory asked) = _open(address(new RevertingVerifier()));
        _refused(requestId, asked, abi.encode(IAttestationVerifier.verifyAttestation.selector));
        vm.prank(executor);
        market.fulfill(asked, 0, output, "");
    }

    /// @dev Its code was there when the request was made, and is gone now. On chains of today it cannot go, but for one
    /// transaction.
    function test_attack_aVerifierThatIsGone() external {
        address verifier = address(new ConstantVerifier(0));
        (uint256 requestId, AttestedRequest memory asked) = _open(verifier);
        vm.etch(verifier, "");
        _refused(requestId, asked, "");
        vm.prank(executor);
        market.fulfill(asked, 0, output, "");
        vm.warp(asked.deadline + 1);
        market.refund(asked);
        assertEq(market.balanceOf(requester), DEPOSIT, "and the refund does not need it");
    }

    /// @dev A token, the market itself, or the registry as verifier.
    function test_attack_contractsThatAreNoVerifiers() external {
        address[3] memory others = [address(token), address(market), address(registry)];
        for (uint256 i = 0; i < 3; ++i) {
            (uint256 requestId, AttestedRequest memory asked) = _open(others[i]);
            _refused(requestId, asked, "");
            vm.prank(executor);
            market.fulfill(asked, 0, output, "");
        }
    }

    /// @dev Too little gas for the verifier: the answer is refused, and can be sent again.
    function test_attack_starved() external {
        AttestedRequest memory asked = request();
        uint256 requestId = open(asked);
        bytes memory data = abi.encodeCall(market.fulfill, (asked, 0, output, evidenceFor(asked)));
        for (uint256 gas_ = 30_000; gas_ < 90_000; gas_ += 10_000) {
            vm.prank(executor);
            (bool success,) = address(market).call{gas: gas_}(data);
            assertFalse(success, "not with less");
            assertState(requestId, AttestedState.OPEN);
        }
        fulfill(asked);
    }

    function _open(address verifier) private returns (uint256 requestId, AttestedRequest memory asked) {
        asked = request();
        asked.verifier = verifier;
        requestId = open(asked);
    }

    function _refused(uint256 requestId, AttestedRequest memory asked, bytes memory reason) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestedMarket.AttestedMarket_NotAttested.selector, requestId, asked.verifier, reason
            )
        );
    }
}

contract BurningVerifier {
    fallback() external {
        assembly ("memory-safe") {
            for {} 1 {} {}
        }
    }
}

contract BombingVerifier {
    fallback() external {
        assembly ("memory-safe") {
            revert(0, 190000)
        }
    }
}

contract RevertingVerifier {
    function verifyAttestation(bytes32, AttestedAnswer calldata, bytes calldata) external pure returns (bytes4) {
        bytes4 yes = IAttestationVerifier.verifyAttestation.selector;
        assembly ("memory-safe") {
            mstore(0, yes)
            revert(0, 32)
        }
    }
}

contract LongVerifier {
    function verifyAttestation(bytes32, AttestedAnswer calldata, bytes calldata) external pure returns (bytes4) {
        bytes4 yes = IAttestationVerifier.verifyAttestation.selector;
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, yes)
            return(at, 190000)
        }
    }
}

contract ConstantVerifier {
    bytes32 private immutable WORD;

    constructor(bytes32 word) {
        WORD = word;
    }

    fallback() external {
        bytes32 word = WORD;
        assembly ("memory-safe") {
            mstore(0, word)
            return(0, 32)
        }
    }
}
