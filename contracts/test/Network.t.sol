// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../src/ExecutorStaking.sol";
import {InferenceMarket} from "../src/InferenceMarket.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {SignatureValidator} from "../src/SignatureValidator.sol";
import {ZkVerifier} from "../src/ZkVerifier.sol";
import {TestDollar} from "../src/development/TestDollar.sol";
import {Limits, Permit, RequestParams, RequestState, SignedRequest} from "../src/types/MarketTypes.sol";
import {InputBinding, TrustMode} from "../src/types/ModelTypes.sol";
import {Fixtures} from "./Fixtures.t.sol";

/// @title The whole network, deployed with real parts
/// @notice One builder with a packed and a KZG model, one staked executor, one requester with a deposit.
abstract contract Network is Fixtures {
    uint64 internal constant EXIT_DELAY = 3 days;
    uint256 internal constant MIN_STAKE = 10e6;
    uint128 internal constant FLOOR = 1e6;
    uint64 internal constant MAX_LIFETIME = 1 days;
    uint32 internal constant MIN_LOCK = 60;
    uint32 internal constant MAX_LOCK = 1 hours;
    uint32 internal constant MAX_CALLBACK_GAS = 1_000_000;
    uint256 internal constant MAX_INPUT_LENGTH = 4096;

    uint128 internal constant PRICE = 5e6;
    uint128 internal constant COLLATERAL = 20e6;
    uint16 internal constant ROYALTY_BPS = 1000;
    uint32 internal constant LOCK_DURATION = 10 minutes;
    uint256 internal constant STAKE = 100e6;
    uint256 internal constant DEPOSIT = 1000e6;

    TestDollar internal token;
    ModelRegistry internal registry;
    ZkVerifier internal verifier;
    ExecutorStaking internal staking;
    InferenceMarket internal market;
    SignatureValidator internal validator;
    address internal halo2;

    address internal builder;
    address internal executor;
    address internal requester;
    address internal stranger;
    uint256 internal requesterKey;
    uint256 internal executorKey;

    Fixture internal packed;
    Fixture internal kzg;
    uint256 internal modelId;
    uint64 internal packedVersion;
    uint64 internal kzgVersion;

    function setUp() public virtual {
        begin();
        builder = makeAddr("builder");
        (executor, executorKey) = makeAddrAndKey("executor");
        (requester, requesterKey) = makeAddrAndKey("requester");
        stranger = makeAddr("stranger");
        loadFixture(packed, "packed");
        loadFixture(kzg, "kzg");
        publishModels();
        endow();
    }

    /// @notice The first second, and contracts of its own. Tests of several networks share them instead.
    function begin() internal virtual {
        vm.warp(1_900_000_000);
        vm.roll(1000);
        deploy();
    }

    function modelName() internal pure virtual returns (string memory) {
        return "digits";
    }

    /// @notice What the executor and the requester bring to the market.
    function endow() internal virtual {
        stakeFor(executor, STAKE);
        depositFor(requester, DEPOSIT);
    }

    function limits() internal pure returns (Limits memory) {
        return Limits({
            collateralFloor: FLOOR,
            maxLifetime: MAX_LIFETIME,
            minLockDuration: MIN_LOCK,
            maxLockDuration: MAX_LOCK,
            maxCallbackGas: MAX_CALLBACK_GAS,
            maxInputLength: MAX_INPUT_LENGTH
        });
    }

    function deploy() internal {
        token = new TestDollar();
        registry = new ModelRegistry();
        halo2 = deployHalo2Verifier();
        verifier = new ZkVerifier(address(registry), halo2, developmentG2());
        staking = new ExecutorStaking(address(token), EXIT_DELAY, MIN_STAKE);
        validator = new SignatureValidator();
        market = new InferenceMarket(
            address(token), address(registry), address(verifier), address(staking), address(validator), limits()
        );
    }

    function publishModels() internal {
        verifier.registerVka(packed.vka);
        verifier.registerVka(kzg.vka);
        vm.startPrank(builder);
        modelId = registry.registerModel(modelName());
        packedVersion = registry.publishVersion(modelId, publication(packed, ROYALTY_BPS));
        kzgVersion = registry.publishVersion(modelId, publication(kzg, ROYALTY_BPS));
        vm.stopPrank();
    }

    /// @notice Mints, stakes and allocates to the market.
    function stakeFor(address account, uint256 amount) internal {
        token.mint(account, amount);
        vm.startPrank(account);
        token.approve(address(staking), amount);
        staking.stake(amount);
        staking.allocate(address(market), amount);
        vm.stopPrank();
    }

    function depositFor(address account, uint256 amount) internal {
        token.mint(account, amount);
        vm.startPrank(account);
        token.approve(address(market), amount);
        market.deposit(amount);
        vm.stopPrank();
    }

    /// @notice A request for a proven case of a fixture.
    function paramsFor(uint64 versionId, Fixture storage fixture, uint256 index)
        internal
        view
        returns (RequestParams memory)
    {
        return RequestParams({
            versionId: versionId,
            mode: TrustMode.ZK,
            inputDigest: keccak256(fixture.cases[index].input),
            inputBinding: fixture.cases[index].inputBinding,
            maxPrice: PRICE,
            minPrice: 0,
            rampStart: 0,
            rampLength: 0,
            collateral: COLLATERAL,
            deadline: uint64(block.timestamp) + 1 hours,
            lockDuration: LOCK_DURATION,
            executor: address(0),
            callback: address(0),
            callbackGas: 0
        });
    }

    function packedParams() internal view returns (RequestParams memory) {
        return paramsFor(packedVersion, packed, 0);
    }

    function open(RequestParams memory params) internal returns (uint256 requestId) {
        vm.prank(requester);
        return market.request(params, "", "");
    }

    function openPacked() internal returns (uint256 requestId) {
        return open(packedParams());
    }

    /// @notice Locks the request as it is, for as long as is left.
    function lockBy(address account, uint256 requestId) internal {
        bytes32 terms = market.termsOf(requestId);
        vm.prank(account);
        market.lock(requestId, terms, 0, 0);
    }

    /// @notice A packed request that the executor locked in an earlier block.
    function openLocked() internal returns (uint256 requestId) {
        requestId = openPacked();
        lockBy(executor, requestId);
        nextBlock();
    }

    function fulfillBy(address account, uint256 requestId, Fixture storage fixture, uint256 index) internal {
        vm.prank(account);
        market.fulfill(
            requestId, 0, provenInput(fixture, index), fixture.cases[index].output, fixture.cases[index].proof
        );
    }

    function assertState(uint256 requestId, RequestState expected) internal view {
        (RequestState state,) = market.statusOf(requestId);
        assertEq(uint256(state), uint256(expected), "state");
    }

    /// @notice A request as its requester would sign it.
    function unsignedRequest(address account, RequestParams memory params, uint256 nonce)
        internal
        pure
        returns (SignedRequest memory)
    {
        return SignedRequest({requester: account, params: params, nonce: nonce, inputHint: "https://inputs.example/1"});
    }

    function signatureOf(uint256 privateKey, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @notice A packed request of the requester with his signature.
    function signedRequest(RequestParams memory params, uint256 nonce)
        internal
        view
        returns (SignedRequest memory signed, bytes memory signature)
    {
        signed = unsignedRequest(requester, params, nonce);
        signature = signatureOf(requesterKey, bytes32(market.idOf(signed)));
    }

    function lockSignedBy(address account, RequestParams memory params, uint256 nonce)
        internal
        returns (uint256 requestId)
    {
        (SignedRequest memory signed, bytes memory signature) = signedRequest(params, nonce);
        vm.prank(account);
        return market.lockSigned(signed, signature, 0, 0);
    }

    /// @notice An ERC-2612 permit over the test dollar.
    function permitFor(uint256 privateKey, address spender, uint256 value, uint256 deadline)
        internal
        view
        returns (Permit memory)
    {
        address owner = vm.addr(privateKey);
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                owner,
                spender,
                value,
                token.nonces(owner),
                deadline
            )
        );
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), structHash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        return Permit({value: value, deadline: deadline, v: v, r: r, s: s});
    }

    /// @notice The money of one executor and one requester, for deltas around an action.
    struct Money {
        uint256 escrowed;
        uint256 requesterBalance;
        uint256 executorBalance;
        uint256 royalty;
        uint256 allocated;
        uint256 locked;
        uint256 credit;
        uint256 pendingBurn;
    }

    function money() internal view returns (Money memory now_) {
        now_.escrowed = token.balanceOf(address(market)) - market.balanceOf(requester) - market.balanceOf(executor)
            - market.royaltyOf(modelId);
        now_.requesterBalance = market.balanceOf(requester);
        now_.executorBalance = market.balanceOf(executor);
        now_.royalty = market.royaltyOf(modelId);
        now_.allocated = staking.allocation(executor, address(market)).allocated;
        now_.locked = staking.allocation(executor, address(market)).locked;
        now_.credit = staking.creditOf(requester);
        now_.pendingBurn = staking.pendingBurn();
    }

    function assertUnchanged(Money memory before) internal view {
        assertEq(abi.encode(before), abi.encode(money()), "no money moved");
    }
}
