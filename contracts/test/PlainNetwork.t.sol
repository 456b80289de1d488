// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../src/ExecutorStaking.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {SignatureValidator} from "../src/SignatureValidator.sol";
import {TestDollar} from "../src/development/TestDollar.sol";
import {ITokenAccounts} from "../src/interfaces/ITokenAccounts.sol";
import {Circuit, InputBinding, TrustMode, VersionParams} from "../src/types/ModelTypes.sol";
import {RecordLimits} from "../src/types/RecordTypes.sol";
import {Base} from "./Base.t.sol";

/// @title The network around a version without circuits
/// @notice What the modes that need no proof need: a token, a registry, stake, signatures, one model of a builder.
abstract contract PlainNetwork is Base {
    uint64 internal constant EXIT_DELAY = 3 days;
    uint256 internal constant MIN_LISTED = 10e6;
    uint64 internal constant MAX_LIFETIME = 1 days;
    uint32 internal constant MAX_CALLBACK_GAS = 1_000_000;
    uint256 internal constant MAX_INPUT_LENGTH = 4096;
    uint256 internal constant MAX_OUTPUT_LENGTH = 1024;
    uint16 internal constant ROYALTY_BPS = 1000;
    uint256 internal constant DEPOSIT = 1000e6;
    uint8 internal constant QUORUM_AND_ATTESTED =
        uint8(1 << uint8(TrustMode.QUORUM)) | uint8(1 << uint8(TrustMode.ATTESTED));
    /// @dev Two input floats and two output floats.
    bytes internal constant IO_SCHEMA = hex"0101040000000002040000000002";

    TestDollar internal token;
    ModelRegistry internal registry;
    ExecutorStaking internal staking;
    SignatureValidator internal validator;

    address internal builder;
    address internal requester;
    uint256 internal requesterKey;
    address internal stranger;
    uint256 internal modelId;
    uint64 internal versionId;
    bytes internal input = hex"0000803f00000040";
    bytes internal output = hex"0000404000008040";

    function setUp() public virtual {
        begin();
        builder = makeAddr("builder");
        (requester, requesterKey) = makeAddrAndKey("requester");
        stranger = makeAddr("stranger");
        vm.prank(builder);
        modelId = registry.registerModel(modelName());
        versionId = publish(QUORUM_AND_ATTESTED);
    }

    /// @notice The first second, and contracts of its own. Tests of several networks share them instead.
    function begin() internal virtual {
        vm.warp(1_900_000_000);
        vm.roll(1000);
        token = new TestDollar();
        registry = new ModelRegistry();
        staking = new ExecutorStaking(address(token), EXIT_DELAY, MIN_LISTED);
        validator = new SignatureValidator();
    }

    function modelName() internal pure virtual returns (string memory) {
        return "embedder";
    }

    function publish(uint8 modes) internal returns (uint64) {
        return publish(modes, IO_SCHEMA);
    }

    function publish(uint8 modes, bytes memory ioSchema) internal returns (uint64) {
        vm.prank(builder);
        return registry.publishVersion(
            modelId,
            VersionParams({
                modelDigest: keccak256("model"),
                manifestDigest: keccak256("manifest"),
                ioSchema: ioSchema,
                binding: InputBinding.PACKED,
                modes: modes,
                royaltyBps: ROYALTY_BPS,
                proofSeconds: 0,
                repeatable: true,
                circuits: new Circuit[](0),
                uri: "https://bundles.example/embedder"
            })
        );
    }

    function recordLimits() internal pure returns (RecordLimits memory) {
        return RecordLimits({
            maxLifetime: MAX_LIFETIME,
            maxCallbackGas: MAX_CALLBACK_GAS,
            maxInputLength: MAX_INPUT_LENGTH,
            maxOutputLength: MAX_OUTPUT_LENGTH
        });
    }

    function depositAt(address market, address account, uint256 amount) internal {
        token.mint(account, amount);
        vm.startPrank(account);
        token.approve(market, amount);
        ITokenAccounts(market).deposit(amount);
        vm.stopPrank();
    }

    function signatureOf(uint256 privateKey, uint256 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, bytes32(digest));
        return abi.encodePacked(r, s, v);
    }
}
