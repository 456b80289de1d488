// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedMarket} from "../src/attested/AttestedMarket.sol";
import {AttestedRequest} from "../src/attested/AttestedTypes.sol";
import {AttestedAnswer} from "../src/interfaces/IAttestationVerifier.sol";
import {IQuorumMarket} from "../src/quorum/IQuorumMarket.sol";
import {QuorumMarket} from "../src/quorum/QuorumMarket.sol";
import {QuorumMembers} from "../src/quorum/QuorumMembers.sol";
import {MemberLimits, MemberTerms, QuorumRequest, QuorumRound, RoundLimits} from "../src/quorum/QuorumTypes.sol";
import {ResultBoard} from "../src/results/ResultBoard.sol";
import {Acceptance, BoardResult, Markets} from "../src/results/ResultTypes.sol";
import {LazyClaim, LazyRequest} from "../src/types/LazyTypes.sol";
import {RequestParams} from "../src/types/MarketTypes.sol";
import {TrustMode, VersionParams} from "../src/types/ModelTypes.sol";
import {Finality} from "../src/types/RecordTypes.sol";
import {KeySets} from "./KeySets.t.sol";
import {LazyNetwork} from "./LazyNetwork.t.sol";
import {Vm} from "./Vm.sol";

/// @title All four markets and a board that shows their results
/// @notice One version that allows every mode; a quorum of three members, two keys that attest.
abstract contract BoardNetwork is LazyNetwork, KeySets {
    uint8 internal constant LAZY = uint8(1 << uint8(TrustMode.LAZY_ZK));
    uint8 internal constant QUORUM = uint8(1 << uint8(TrustMode.QUORUM));
    uint8 internal constant ATTESTED = uint8(1 << uint8(TrustMode.ATTESTED));
    uint8 internal constant ALL_MODES = ZK | LAZY | QUORUM | ATTESTED;
    uint8 internal constant PROVABLE = ZK | LAZY;
    bytes32 internal constant CLASS = keccak256("x86_64 avx2; onnxruntime 1.31.1");
    uint88 internal constant MEMBER_STAKE = 100e6;
    uint88 internal constant OUTLIER_SLASH = 2e6;
    uint256 internal constant MEMBERS = 3;
    uint8 internal constant SEED_DELAY = 2;
    uint128 internal constant PROVEN_BOND = type(uint88).max;

    QuorumMarket internal quorum;
    AttestedMarket internal attested;
    ResultBoard internal board;
    uint64 internal everyMode;
    uint256[] internal keys = sortedKeys(2, 1);

    function setUp() public virtual override {
        super.setUp();
        quorum = new QuorumMarket(
            address(token),
            address(registry),
            address(staking),
            address(validator),
            recordLimits(),
            RoundLimits({minMembers: 3, maxMembers: 9, seedDelay: SEED_DELAY, minWindow: 30, maxWindow: 1 hours}),
            MemberLimits({minStake: 20e6, seatBond: 5e6, outlierSlash: OUTLIER_SLASH})
        );
        attested = new AttestedMarket(address(token), address(registry), address(validator), recordLimits());
        board = new ResultBoard(Markets(address(market), address(lazy), address(quorum), address(attested)));
        VersionParams memory params = publication(packed, ROYALTY_BPS);
        params.modes = ALL_MODES;
        vm.prank(builder);
        everyMode = registry.publishVersion(modelId, params);
        depositIn(address(quorum), requester);
        depositIn(address(attested), requester);
        for (uint256 i = 0; i < MEMBERS; ++i) {
            enrollIn(CLASS, makeAddr(string.concat("member ", vm.toString(i))));
        }
        nextBlock();
    }

    function depositIn(address where, address account) internal {
        token.mint(account, DEPOSIT);
        vm.startPrank(account);
        token.approve(where, DEPOSIT);
        QuorumMarket(where).deposit(DEPOSIT);
        vm.stopPrank();
    }

    function enrollIn(bytes32 class, address account) internal {
        QuorumMembers pool = QuorumMembers(quorum.memberPool());
        token.mint(account, MEMBER_STAKE);
        vm.startPrank(account);
        token.approve(address(staking), MEMBER_STAKE);
        staking.stake(MEMBER_STAKE);
        staking.allocate(address(pool), MEMBER_STAKE);
        pool.enroll(everyMode, class, MEMBER_STAKE, MemberTerms({capacity: 4, minPrice: 0, minSeconds: 0}));
        vm.stopPrank();
    }

    // --- results of each kind, final ---

    /// @notice A request of mode `ZK`, proven. Returns its id.
    function provenResult() internal returns (uint256 requestId) {
        RequestParams memory params = paramsFor(everyMode, packed, 0);
        requestId = open(params);
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
    }

    function lazyAsked(uint128 collateral) internal returns (LazyRequest memory asked) {
        asked = lazyRequest(everyMode, packed, 0);
        asked.collateral = collateral;
        asked.executor = executor;
    }

    /// @notice A lazy request that nobody challenged.
    function lazyResult(uint128 collateral) internal returns (LazyRequest memory asked) {
        return lazyResult(collateral, truth());
    }

    function lazyResult(uint128 collateral, bytes memory answer) internal returns (LazyRequest memory asked) {
        asked = lazyAsked(collateral);
        finalized(answerSigned(asked, answer));
    }

    /// @notice A lazy request that somebody proved.
    function lazyProven() internal returns (LazyRequest memory asked) {
        asked = lazyAsked(FLOOR);
        LazyClaim memory claim = answerSigned(asked, truth());
        prove(claim);
    }

    function quorumAsked(bytes32 class) internal returns (QuorumRequest memory) {
        return QuorumRequest({
            requester: requester,
            versionId: everyMode,
            runtimeClass: class,
            inputDigest: keccak256(packed.cases[0].input),
            inputBinding: keccak256(packed.cases[0].input),
            price: PRICE,
            members: 3,
            threshold: 2,
            minEligible: 0,
            deadline: uint64(block.timestamp) + 1 hours,
            commitWindow: 60,
            revealWindow: 60,
            callback: address(0),
            callbackGas: 0,
            nonce: nextNonce++,
            inputHint: ""
        });
    }

    /// @notice A request on whose answer all members agree.
    function quorumResult(bytes32 class, bytes memory answer) internal returns (QuorumRequest memory asked) {
        asked = quorumAsked(class);
        agreeOn(asked, answer);
    }

    function agreeOn(QuorumRequest memory asked, bytes memory answer) internal {
        QuorumRound memory round = drawn(asked);
        for (uint256 seat = 0; seat < round.members.length; ++seat) {
            address member = round.members[seat];
            bytes32 commitment = quorum.commitmentOf(member, round.requestId, SALT, keccak256(answer));
            vm.prank(member);
            quorum.commit(round, seat, commitment);
        }
        for (uint256 seat = 0; seat < round.members.length; ++seat) {
            vm.prank(round.members[seat]);
            quorum.reveal(round, seat, SALT, answer);
        }
        quorum.settle(round, answer);
    }

    function drawn(QuorumRequest memory asked) internal returns (QuorumRound memory) {
        vm.prank(asked.requester);
        quorum.request(asked, packed.cases[0].input);
        uint64 openedBlock = uint64(block.number);
        vm.roll(openedBlock + SEED_DELAY + 1);
        vm.warp(block.timestamp + 12);
        vm.recordLogs();
        quorum.draw(asked, openedBlock);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IQuorumMarket.QuorumDrawn.selector) {
                return abi.decode(logs[i].data, (QuorumRound));
            }
        }
        revert("nobody was drawn");
    }

    function policy() internal view returns (bytes32) {
        return keySets.policyOf(2, addressesOf(keys));
    }

    function attestedAsked() internal returns (AttestedRequest memory) {
        return AttestedRequest({
            requester: requester,
            versionId: everyMode,
            inputDigest: keccak256(packed.cases[0].input),
            inputBinding: keccak256(packed.cases[0].input),
            maxPrice: PRICE,
            minPrice: 0,
            rampStart: 0,
            rampLength: 0,
            deadline: uint64(block.timestamp) + 1 hours,
            verifier: address(keySets),
            policy: policy(),
            executor: address(0),
            callback: address(0),
            callbackGas: 0,
            nonce: nextNonce++,
            inputHint: ""
        });
    }

    /// @notice A request whose answer both keys signed.
    function attestedResult(bytes memory answer) internal returns (AttestedRequest memory asked) {
        asked = attestedAsked();
        answerAttested(asked, keys, answer);
    }

    function answerAttested(AttestedRequest memory asked, uint256[] memory signers, bytes memory answer) internal {
        vm.prank(asked.requester);
        attested.request(asked, "");
        AttestedAnswer memory signed = AttestedAnswer({
            market: address(attested),
            requestId: attested.idOf(asked),
            versionId: asked.versionId,
            inputDigest: asked.inputDigest,
            outputDigest: keccak256(answer),
            executor: executor
        });
        bytes memory evidence = evidenceOf(2, signers, list(0, 1), keySets.digestOf(signed));
        vm.prank(executor);
        attested.fulfill(asked, 0, answer, evidence);
    }

    // --- reading ---

    function binding() internal view returns (bytes32) {
        return packed.cases[0].inputBinding;
    }

    function latest(uint8 modes, uint128 minBond) internal view returns (BoardResult memory) {
        return board.latest(everyMode, binding(), modes, minBond);
    }

    function latestOf(uint8 modes) internal view returns (BoardResult memory) {
        return board.latestUnder(everyMode, binding(), acceptance(modes));
    }

    function acceptance(uint8 modes) internal view returns (Acceptance memory) {
        return Acceptance({modes: modes, minBond: 0, runtimeClass: CLASS, verifier: address(keySets), policy: policy()});
    }

    function lazyTopic() internal view returns (bytes32) {
        return board.topicOf(everyMode, binding(), TrustMode.LAZY_ZK, 0);
    }

    function assertNothing(BoardResult memory shown) internal pure {
        BoardResult memory nothing;
        assertEq(abi.encode(shown), abi.encode(nothing), "nothing");
    }

    function assertShown(BoardResult memory shown, uint256 requestId, Finality how, uint128 bond) internal pure {
        assertEq(shown.requestId, requestId, "request");
        assertEq(uint256(shown.how), uint256(how), "how");
        assertEq(shown.bond, bond, "bond");
    }
}
