// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title A contract account with one owner, who may be another tomorrow
contract OwnedWallet is IERC1271 {
    address public owner;
    /// @notice Whether it answers at all; an account that was deployed and not set up does not.
    bool public ready;

    constructor(address owner_, bool ready_) {
        owner = owner_;
        ready = ready_;
    }

    /// @notice Anybody may: a test's key rotation.
    function setOwner(address owner_) external {
        owner = owner_;
    }

    function prepare() external {
        ready = true;
    }

    /// @notice Whatever the owner wants to do as this account.
    function execute(address to, bytes calldata data) external returns (bytes memory) {
        require(msg.sender == owner, "not the owner");
        (bool success, bytes memory result) = to.call(data);
        require(success, "failed");
        return result;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        require(ready, "not ready");
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        return failure == ECDSA.RecoverError.NoError && signer == owner ? this.isValidSignature.selector : bytes4(0);
    }
}

/// @title Deploys such accounts where one knows before
contract WalletFactory {
    function deploy(address owner, bytes32 salt) external returns (address) {
        return address(new OwnedWallet{salt: salt}(owner, true));
    }

    function predict(address owner, bytes32 salt) external view returns (address) {
        bytes32 codeHash = keccak256(abi.encodePacked(type(OwnedWallet).creationCode, abi.encode(owner, true)));
        return address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), salt, codeHash)))));
    }
}

/// @title How an account that is not there yet signs
library Erc6492 {
    bytes32 internal constant MAGIC = 0x6492649264926492649264926492649264926492649264926492649264926492;

    function wrap(address to, bytes memory data, bytes memory signature) internal pure returns (bytes memory) {
        return bytes.concat(abi.encode(to, data, signature), MAGIC);
    }
}
