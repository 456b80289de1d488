// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ModelRegistry} from "../../src/ModelRegistry.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {Network} from "../Network.t.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

contract RegistryModelsTest is Network {
    function test_registersModelAndMintsItsToken() external {
        vm.expectEmit(address(registry));
        emit IModelRegistry.ModelRegistered(2, stranger, "lenet-5_v1.0");
        vm.prank(stranger);
        uint256 id = registry.registerModel("lenet-5_v1.0");
        assertEq(id, 2, "ids count from one");
        assertEq(registry.ownerOf(id), stranger, "holder");
        assertEq(registry.balanceOf(stranger), 1, "tokens");
        assertEq(registry.nameOf(id), "lenet-5_v1.0", "name");
        assertEq(registry.modelIdOf("lenet-5_v1.0"), id, "found by name");
        assertEq(registry.modelCount(), 2, "count");
        assertEq(registry.versionCount(id), 0, "no version yet");
        assertEq(registry.tokenURI(id), "", "nothing published");
    }

    function test_acceptsNamesOfEveryAllowedShape() external {
        string[6] memory names =
            ["a", "0", "a-b", "a_b", "a.b", "0123456789012345678901234567890123456789012345678901234567890123"];
        for (uint256 i = 0; i < names.length; ++i) {
            assertEq(registry.registerModel(names[i]), i + 2, names[i]);
        }
    }

    function test_refusesBadNames() external {
        string[10] memory names = [
            "",
            "Digits",
            "-digits",
            ".digits",
            "_digits",
            "dig its",
            "digits/2",
            unicode"chiffré",
            "digits\x00",
            "01234567890123456789012345678901234567890123456789012345678901234"
        ];
        for (uint256 i = 0; i < names.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_InvalidName.selector, names[i]));
            registry.registerModel(names[i]);
        }
        assertEq(registry.modelCount(), 1, "nothing registered");
    }

    function test_refusesATakenName() external {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_NameTaken.selector, "digits", modelId));
        vm.prank(stranger);
        registry.registerModel("digits");
    }

    function test_refusesModelsBeyondTheIdSpace() external {
        // Slot of the counter: found by its value, so that a moved layout fails here rather than passing.
        bytes32 slot = _slotHolding(address(registry), 1);
        vm.store(address(registry), slot, bytes32(uint256(type(uint32).max)));
        assertEq(registry.modelCount(), type(uint32).max, "the counter's slot");
        vm.expectRevert(IModelRegistry.ModelRegistry_TooManyModels.selector);
        registry.registerModel("one-too-many");
    }

    function test_unknownModels() external {
        bytes memory unknown = abi.encodeWithSelector(IModelRegistry.ModelRegistry_UnknownModel.selector, 99);
        vm.expectRevert(unknown);
        registry.nameOf(99);
        vm.expectRevert(unknown);
        registry.versionCount(99);
        vm.expectRevert(unknown);
        registry.versions(99, 0, 1);
        vm.expectRevert(unknown);
        registry.resolveAlias(99, "latest");
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_UnknownModel.selector, 0));
        registry.nameOf(0);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 99));
        registry.tokenURI(99);
        assertEq(registry.modelIdOf("nobody"), 0, "an unknown name is id zero");
    }

    function test_pagesOfModels() external {
        for (uint256 i = 0; i < 4; ++i) {
            registry.registerModel(string.concat("model-", vm.toString(i)));
        }
        assertEq(abi.encode(registry.models(0, 2)), abi.encode(_ids(1, 2)), "first page");
        assertEq(abi.encode(registry.models(4, 2)), abi.encode(_ids(5, 1)), "a short last page");
        assertEq(registry.models(5, 2).length, 0, "past the end");
        assertEq(registry.models(type(uint256).max, type(uint256).max).length, 0, "far past the end");
        assertEq(registry.models(1, type(uint256).max).length, 4, "no limit");
        assertEq(registry.models(0, 0).length, 0, "an empty page");
    }

    function test_holderMovesWithTheToken() external {
        vm.prank(builder);
        registry.transferFrom(builder, stranger, modelId);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_NotHolder.selector, modelId, builder));
        vm.prank(builder);
        registry.setAlias(modelId, "stable", packedVersion);
        vm.prank(stranger);
        registry.setAlias(modelId, "stable", packedVersion);
        assertEq(registry.resolveAlias(modelId, "stable"), packedVersion, "the new holder decides");
    }

    function test_isAnErc721() external view {
        assertTrue(registry.supportsInterface(0x80ac58cd), "ERC-721");
        assertTrue(registry.supportsInterface(0x5b5e139f), "ERC-721 metadata");
        assertEq(ModelRegistry(address(registry)).symbol(), "MODEL", "symbol");
    }

    function _ids(uint256 first, uint256 count) private pure returns (uint256[] memory ids) {
        ids = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            ids[i] = first + i;
        }
    }

    /// @dev First of the low slots that holds `value` and that `modelCount` follows.
    function _slotHolding(address target, uint256 value) private returns (bytes32) {
        for (uint256 slot = 0; slot < 32; ++slot) {
            if (vm.load(target, bytes32(slot)) != bytes32(value)) continue;
            vm.store(target, bytes32(slot), bytes32(value + 7));
            bool found = registry.modelCount() == value + 7;
            vm.store(target, bytes32(slot), bytes32(value));
            if (found) return bytes32(slot);
        }
        revert("counter not found");
    }
}
