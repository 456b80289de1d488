// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../src/interfaces/IRecordMarket.sol";
import {DisputeCourt} from "../src/lazy/DisputeCourt.sol";
import {LazyMarket} from "../src/lazy/LazyMarket.sol";
import {LazyClaim, LazyLimits, LazyLock, LazyRequest, LazyState} from "../src/types/LazyTypes.sol";
import {TrustMode, VersionParams} from "../src/types/ModelTypes.sol";
import {RecordLimits} from "../src/types/RecordTypes.sol";
import {Network} from "./Network.t.sol";

/// @title The network with a lazy market and its court
/// @notice Versions that allow `LAZY_ZK`, an executor with backing, a requester and a challenger with deposits.
abstract contract LazyNetwork is Network {
    uint64 internal constant LAZY_LIFETIME = 1 days;
    uint32 internal constant MIN_CHALLENGE_WINDOW = 10 minutes;
    uint32 internal constant MAX_CHALLENGE_WINDOW = 12 hours;
    uint32 internal constant MIN_RESPONSE_WINDOW = 60;
    uint32 internal constant MAX_RESPONSE_WINDOW = 6 hours;
    uint16 internal constant REWARD_BPS = 2000;
    uint16 internal constant EXECUTOR_BPS = 7500;
    uint128 internal constant CHALLENGE_BOND = 4e6;
    uint256 internal constant MAX_OUTPUT_LENGTH = 65_536;

    uint32 internal constant CHALLENGE_WINDOW = 1 hours;
    uint32 internal constant RESPONSE_WINDOW = 10 minutes;
    uint256 internal constant BACKING = 1000e6;
    uint256 internal constant CHALLENGER_DEPOSIT = 1000e6;
    bytes32 internal constant SALT = keccak256("salt");

    DisputeCourt internal court;
    LazyMarket internal lazy;
    address internal challenger;
    uint64 internal lazyVersion;
    uint64 internal lazyKzgVersion;
    uint256 internal nextNonce;

    function setUp() public virtual override {
        super.setUp();
        challenger = makeAddr("challenger");
        deployLazy();
        VersionParams memory params = publication(packed, ROYALTY_BPS);
        params.modes = uint8(1 << uint8(TrustMode.LAZY_ZK)) | ZK;
        VersionParams memory kzgParams = publication(kzg, ROYALTY_BPS);
        kzgParams.modes = uint8(1 << uint8(TrustMode.LAZY_ZK));
        vm.startPrank(builder);
        lazyVersion = registry.publishVersion(modelId, params);
        lazyKzgVersion = registry.publishVersion(modelId, kzgParams);
        vm.stopPrank();
        backLazy(executor, BACKING);
        depositLazy(requester, DEPOSIT);
        depositAtCourt(challenger, CHALLENGER_DEPOSIT);
    }

    function recordLimits() internal pure returns (RecordLimits memory) {
        return RecordLimits({
            maxLifetime: LAZY_LIFETIME,
            maxCallbackGas: MAX_CALLBACK_GAS,
            maxInputLength: MAX_INPUT_LENGTH,
            maxOutputLength: MAX_OUTPUT_LENGTH
        });
    }

    function lazyLimits() internal pure returns (LazyLimits memory) {
        return LazyLimits({
            collateralFloor: FLOOR,
            rewardBps: REWARD_BPS,
            minLockDuration: MIN_LOCK,
            maxLockDuration: MAX_LOCK,
            minChallengeWindow: MIN_CHALLENGE_WINDOW,
            maxChallengeWindow: MAX_CHALLENGE_WINDOW,
            minResponseWindow: MIN_RESPONSE_WINDOW,
            maxResponseWindow: MAX_RESPONSE_WINDOW
        });
    }

    function deployLazy() internal {
        court = new DisputeCourt(address(token), CHALLENGE_BOND, EXECUTOR_BPS);
        lazy = new LazyMarket(
            address(token),
            address(registry),
            address(verifier),
            address(staking),
            address(validator),
            address(court),
            recordLimits(),
            lazyLimits()
        );
    }

    // --- money and stake ---

    /// @notice Stakes for the account, allocates to the lazy market and backs its answers.
    function backLazy(address account, uint256 amount) internal {
        token.mint(account, amount);
        vm.startPrank(account);
        token.approve(address(staking), amount);
        staking.stake(amount);
        staking.allocate(address(lazy), amount);
        lazy.back(amount);
        vm.stopPrank();
    }

    function depositLazy(address account, uint256 amount) internal {
        token.mint(account, amount);
        vm.startPrank(account);
        token.approve(address(lazy), amount);
        lazy.deposit(amount);
        vm.stopPrank();
    }

    function depositAtCourt(address account, uint256 amount) internal {
        token.mint(account, amount);
        vm.startPrank(account);
        token.approve(address(court), amount);
        court.deposit(amount);
        vm.stopPrank();
    }

    // --- requests ---

    /// @notice A request for a proven case of a fixture, with a nonce of its own.
    function lazyRequest(uint64 versionId, Fixture storage fixture, uint256 index)
        internal
        returns (LazyRequest memory)
    {
        return LazyRequest({
            requester: requester,
            versionId: versionId,
            inputDigest: keccak256(fixture.cases[index].input),
            inputBinding: fixture.cases[index].inputBinding,
            maxPrice: PRICE,
            minPrice: 0,
            rampStart: 0,
            rampLength: 0,
            collateral: COLLATERAL,
            deadline: uint64(block.timestamp) + 1 hours,
            lockDuration: LOCK_DURATION,
            challengeWindow: CHALLENGE_WINDOW,
            responseWindow: RESPONSE_WINDOW,
            auditBps: 0,
            executor: address(0),
            callback: address(0),
            callbackGas: 0,
            nonce: nextNonce++,
            inputHint: "https://inputs.example/1"
        });
    }

    function wanted() internal returns (LazyRequest memory) {
        return lazyRequest(lazyVersion, packed, 0);
    }

    /// @notice A request that names the executor, so that lock and answer are one transaction.
    function wantedNamed() internal returns (LazyRequest memory request) {
        request = wanted();
        request.executor = executor;
    }

    function idOf(LazyRequest memory request) internal view returns (uint256) {
        return lazy.idOf(request);
    }

    function signatureFor(LazyRequest memory request) internal view returns (bytes memory) {
        return signatureOf(requesterKey, bytes32(lazy.idOf(request)));
    }

    function send(LazyRequest memory request) internal returns (uint256 requestId) {
        vm.prank(request.requester);
        return lazy.request(request, "");
    }

    // --- locks and answers, with what the market makes of them ---

    /// @notice The lock that the account would get now.
    function lockNow(LazyRequest memory request, address account) internal view returns (LazyLock memory) {
        uint256 end = block.timestamp + request.lockDuration;
        return LazyLock({
            executor: account,
            price: request.maxPrice,
            royaltyBps: ROYALTY_BPS,
            lockBlock: uint64(block.number),
            lockDeadline: uint64(end < request.deadline ? end : request.deadline)
        });
    }

    function lockLazy(LazyRequest memory request, address account) internal returns (LazyLock memory made) {
        made = lockNow(request, account);
        vm.prank(account);
        lazy.lock(request, 0, 0);
    }

    /// @notice A request that the account locked in an earlier block.
    function lockedBy(LazyRequest memory request, address account) internal returns (LazyLock memory made) {
        send(request);
        made = lockLazy(request, account);
        nextBlock();
    }

    /// @notice The claim that an answer makes now.
    function claimNow(LazyRequest memory request, address account, uint128 price, bytes memory output)
        internal
        view
        returns (LazyClaim memory claim)
    {
        claim.requestId = lazy.idOf(request);
        claim.versionId = request.versionId;
        claim.requester = request.requester;
        claim.executor = account;
        claim.inputBinding = request.inputBinding;
        claim.inputDigest = request.inputDigest;
        claim.outputDigest = keccak256(output);
        claim.price = price;
        claim.royaltyBps = ROYALTY_BPS;
        claim.collateral = request.collateral;
        claim.challengeDeadline = uint64(block.timestamp) + request.challengeWindow;
        claim.responseWindow = request.responseWindow;
        claim.auditBps = request.auditBps;
        claim.answeredBlock = uint64(block.number);
        claim.callback = request.callback;
        claim.callbackGas = request.callbackGas;
    }

    function answerBy(address account, LazyRequest memory request, bytes memory output)
        internal
        returns (LazyClaim memory claim)
    {
        LazyLock memory made = lockedBy(request, account);
        claim = claimNow(request, account, made.price, output);
        vm.prank(account);
        lazy.fulfill(request, made, output);
    }

    /// @notice Signed, locked and answered in one transaction by the executor whom the request names.
    function answerSigned(LazyRequest memory request, bytes memory output) internal returns (LazyClaim memory claim) {
        bytes memory signature = signatureFor(request);
        claim = claimNow(request, request.executor, request.maxPrice, output);
        vm.prank(request.executor);
        lazy.lockSignedAndFulfill(request, signature, output);
    }

    function truth() internal view returns (bytes memory) {
        return packed.cases[0].output;
    }

    /// @notice An answer that a proof backs.
    function honest() internal returns (LazyClaim memory) {
        return answerSigned(wantedNamed(), truth());
    }

    /// @notice An answer that no proof backs.
    function lie() internal returns (LazyClaim memory) {
        return answerSigned(wantedNamed(), "a lie");
    }

    // --- doubts ---

    function commitTo(address account, LazyClaim memory claim) internal returns (bytes32 commitment) {
        commitment = court.commitmentOf(account, address(lazy), claim, SALT);
        vm.prank(account);
        court.commitChallenge(commitment);
    }

    /// @notice Commits, and opens the challenge in the next block.
    function challengeBy(address account, LazyClaim memory claim) internal {
        commitTo(account, claim);
        nextBlock();
        vm.prank(account);
        court.challenge(address(lazy), claim, SALT);
    }

    function challenged(LazyClaim memory claim) internal returns (LazyClaim memory) {
        challengeBy(challenger, claim);
        return claim;
    }

    function list(LazyClaim memory claim) internal pure returns (LazyClaim[] memory claims) {
        claims = new LazyClaim[](1);
        claims[0] = claim;
    }

    function list(LazyClaim memory first, LazyClaim memory second) internal pure returns (LazyClaim[] memory claims) {
        claims = new LazyClaim[](2);
        (claims[0], claims[1]) = (first, second);
    }

    function proveBy(address account, LazyClaim[] memory claims, Fixture storage fixture, uint256 index)
        internal
        returns (uint256)
    {
        Case memory proven = fixture.cases[index];
        bytes memory input = provenInput(fixture, index);
        vm.prank(account);
        return court.prove(address(lazy), claims, 0, input, proven.output, proven.proof);
    }

    function prove(LazyClaim memory claim) internal returns (uint256) {
        return proveBy(executor, list(claim), packed, 0);
    }

    function missDeadline(LazyClaim memory claim) internal {
        vm.warp(court.disputeOf(address(lazy), claim.requestId).deadline + 1);
        vm.roll(block.number + 1);
    }

    function slashed(LazyClaim memory claim) internal {
        missDeadline(claim);
        court.slash(address(lazy), claim);
    }

    function pastWindow(LazyClaim memory claim) internal {
        vm.warp(claim.challengeDeadline + 1);
        vm.roll(block.number + 1);
    }

    function finalized(LazyClaim memory claim) internal {
        pastWindow(claim);
        lazy.finalize(claim, "");
    }

    // --- expectations ---

    function assertLazy(uint256 requestId, LazyState expected) internal view {
        assertEq(uint256(lazy.stateOf(requestId)), uint256(expected), "state");
    }

    function otherRecord(uint256 requestId, LazyState state, LazyState expected) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IRecordMarket.RecordMarket_OtherRecord.selector, requestId, uint8(state), uint8(expected)
        );
    }

    /// @notice The money of the lazy market and its court, of one executor, one requester and one challenger.
    struct LazyMoney {
        uint256 escrowed;
        uint256 requesterBalance;
        uint256 executorBalance;
        uint256 royalty;
        uint256 total;
        uint256 used;
        uint256 locked;
        uint256 requesterCredit;
        uint256 challengerCredit;
        uint256 burning;
        uint256 bonded;
        uint256 challengerBalance;
        uint256 executorAtCourt;
        uint256 burningAtCourt;
    }

    function lazyMoney() internal view returns (LazyMoney memory now_) {
        now_.requesterBalance = lazy.balanceOf(requester);
        now_.executorBalance = lazy.balanceOf(executor);
        now_.royalty = lazy.royaltyOf(modelId);
        now_.escrowed = token.balanceOf(address(lazy)) - now_.requesterBalance - now_.executorBalance - now_.royalty;
        now_.total = lazy.backingOf(executor).total;
        now_.used = lazy.backingOf(executor).used;
        now_.locked = staking.allocation(executor, address(lazy)).locked;
        now_.requesterCredit = staking.creditOf(requester);
        now_.challengerCredit = staking.creditOf(challenger);
        now_.burning = staking.pendingBurn();
        now_.challengerBalance = court.balanceOf(challenger);
        now_.executorAtCourt = court.balanceOf(executor);
        now_.burningAtCourt = court.pendingBurn();
        now_.bonded =
            token.balanceOf(address(court)) - now_.challengerBalance - now_.executorAtCourt - now_.burningAtCourt;
    }

    function assertNothingMoved(LazyMoney memory before) internal view {
        assertEq(abi.encode(before), abi.encode(lazyMoney()), "no money moved");
    }
}
