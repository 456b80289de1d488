// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest} from "../../src/attested/AttestedTypes.sol";
import {QuorumRequest} from "../../src/quorum/QuorumTypes.sol";
import {IResultBoard} from "../../src/results/IResultBoard.sol";
import {ResultBoard} from "../../src/results/ResultBoard.sol";
import {Acceptance, BoardResult, Markets} from "../../src/results/ResultTypes.sol";
import {LazyClaim, LazyRequest} from "../../src/types/LazyTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {Finality} from "../../src/types/RecordTypes.sol";
import {BoardNetwork} from "../BoardNetwork.t.sol";

contract ResultBoardTest is BoardNetwork {
    // --- construction ---

    function test_knowsItsMarkets() external view {
        assertEq(board.marketOf(TrustMode.ZK), address(market), "ZK");
        assertEq(board.marketOf(TrustMode.LAZY_ZK), address(lazy), "LAZY_ZK");
        assertEq(board.marketOf(TrustMode.QUORUM), address(quorum), "QUORUM");
        assertEq(board.marketOf(TrustMode.ATTESTED), address(attested), "ATTESTED");
        assertEq(board.registry(), address(registry), "registry");
    }

    function test_refusesMarketsOfOtherModes() external {
        Markets[4] memory bad = [
            Markets(address(0), address(0), address(0), address(0)),
            Markets(address(0), address(quorum), address(0), address(0)),
            Markets(address(market), address(lazy), address(lazy), address(0)),
            Markets(address(0), address(0), address(attested), address(quorum))
        ];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectRevert(IResultBoard.ResultBoard_InvalidConfiguration.selector);
            new ResultBoard(bad[i]);
        }
    }

    function test_aBoardMayShowLessThanAllModes() external {
        ResultBoard small = new ResultBoard(Markets(address(0), address(lazy), address(0), address(0)));
        LazyRequest memory asked = lazyResult(COLLATERAL);
        small.publishLazy(asked);
        assertEq(small.latest(everyMode, binding(), PROVABLE, 0).requestId, lazy.idOf(asked), "shown");
        uint256 proven = provenResult();
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NoMarket.selector, TrustMode.ZK));
        small.publishProven(proven);
        QuorumRequest memory quorumRequest = quorumAsked(CLASS);
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NoMarket.selector, TrustMode.QUORUM));
        small.publishQuorum(quorumRequest);
        AttestedRequest memory attestedRequest = attestedAsked();
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NoMarket.selector, TrustMode.ATTESTED));
        small.publishAttested(attestedRequest);
        ResultBoard other = new ResultBoard(Markets(address(market), address(0), address(0), address(0)));
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NoMarket.selector, TrustMode.LAZY_ZK));
        other.publishLazy(asked);
    }

    function test_fitsTheCodeLimit() external view {
        vm.assertLt(address(board).code.length, 24_576, "EIP-170");
    }

    // --- one result of each kind ---

    function test_nothingIsShownBeforeAnythingIsPublished() external {
        provenResult();
        lazyResult(COLLATERAL);
        assertNothing(latest(PROVABLE, 0));
        assertNothing(latestOf(ALL_MODES));
    }

    function test_provenResult() external {
        uint256 requestId = provenResult();
        vm.warp(block.timestamp + 500);
        bytes32 topic = board.topicOf(everyMode, binding(), TrustMode.ZK, 0);
        vm.expectEmit(address(board));
        emit IResultBoard.ResultPublished(
            topic, everyMode, binding(), requestId, 0, TrustMode.ZK, Finality.PROVEN, PROVEN_BOND, keccak256(truth())
        );
        vm.prank(stranger);
        assertEq(board.publishProven(requestId), topic, "topic");
        BoardResult memory shown = latest(ZK, type(uint128).max);
        assertShown(shown, requestId, Finality.PROVEN, PROVEN_BOND);
        assertEq(shown.market, address(market), "market");
        assertEq(uint256(shown.mode), uint256(TrustMode.ZK), "mode");
        assertEq(shown.finalAt, block.timestamp, "when it was published");
        assertEq(shown.outputDigest, keccak256(truth()), "output");
        assertNothing(latest(LAZY, 0));
        assertNothing(board.latest(packedVersion, binding(), PROVABLE, 0));
        assertNothing(board.latest(everyMode, packed.cases[1].inputBinding, PROVABLE, 0));
    }

    function test_unchallengedResult() external {
        LazyRequest memory asked = lazyResult(COLLATERAL);
        uint256 finalAt = block.timestamp;
        vm.warp(finalAt + 500);
        board.publishLazy(asked);
        BoardResult memory shown = latest(LAZY, COLLATERAL);
        assertShown(shown, lazy.idOf(asked), Finality.UNCHALLENGED, COLLATERAL);
        assertEq(shown.market, address(lazy), "market");
        assertEq(uint256(shown.mode), uint256(TrustMode.LAZY_ZK), "mode");
        assertEq(shown.finalAt, finalAt, "when it became final");
        assertEq(shown.outputDigest, keccak256(truth()), "output");
        assertNothing(latest(LAZY, COLLATERAL + 1));
        assertNothing(latest(ZK, 0));
    }

    function test_lazyResultThatWasProvenPassesAnyBond() external {
        LazyRequest memory asked = lazyProven();
        board.publishLazy(asked);
        assertShown(latest(LAZY, type(uint128).max), lazy.idOf(asked), Finality.PROVEN, PROVEN_BOND);
    }

    function test_quorumResult() external {
        QuorumRequest memory asked = quorumResult(CLASS, "agreed");
        board.publishQuorum(asked);
        BoardResult memory shown = latestOf(QUORUM);
        assertShown(shown, quorum.idOf(asked), Finality.QUORUM, 3 * OUTLIER_SLASH);
        assertEq(shown.market, address(quorum), "market");
        assertEq(shown.outputDigest, keccak256("agreed"), "output");
        Acceptance memory strict = acceptance(QUORUM);
        strict.minBond = 3 * OUTLIER_SLASH + 1;
        assertNothing(board.latestUnder(everyMode, binding(), strict));
    }

    function test_attestedResult() external {
        AttestedRequest memory asked = attestedResult("signed");
        board.publishAttested(asked);
        BoardResult memory shown = latestOf(ATTESTED);
        assertShown(shown, attested.idOf(asked), Finality.ATTESTED, 0);
        assertEq(shown.market, address(attested), "market");
        assertEq(shown.outputDigest, keccak256("signed"), "output");
        Acceptance memory strict = acceptance(ATTESTED);
        strict.minBond = 1;
        assertNothing(board.latestUnder(everyMode, binding(), strict));
    }

    // --- which one is shown ---

    function test_theNewestOfTheAcceptedModes() external {
        board.publishQuorum(quorumResult(CLASS, truth()));
        vm.warp(block.timestamp + 1);
        LazyRequest memory second = lazyResult(COLLATERAL);
        board.publishLazy(second);
        assertEq(latestOf(ALL_MODES).requestId, lazy.idOf(second), "newest");
        assertEq(latestOf(QUORUM | ATTESTED).market, address(quorum), "among the accepted");
        vm.warp(block.timestamp + 1);
        AttestedRequest memory third = attestedResult(truth());
        board.publishAttested(third);
        assertEq(latestOf(ALL_MODES).requestId, attested.idOf(third), "newest again");
        Acceptance memory bonded = acceptance(ALL_MODES);
        bonded.minBond = COLLATERAL;
        assertEq(board.latestUnder(everyMode, binding(), bonded).requestId, lazy.idOf(second), "with a bond");
    }

    function test_ofTwoThatAreAsNewTheBetterBondedOne() external {
        LazyRequest memory low = lazyAsked(FLOOR);
        LazyRequest memory high = lazyAsked(COLLATERAL);
        LazyRequest memory middle = lazyAsked(COLLATERAL - 1);
        LazyRequest[3] memory asked = [low, high, middle];
        _finishTogether(asked);
        board.publishLazy(low);
        board.publishLazy(high);
        assertEq(latest(LAZY, 0).requestId, lazy.idOf(high), "the higher bond hides what is as new");
        _hidden(middle);
        // Across modes: a proof, which passes any bond.
        uint256 proven = provenResult();
        board.publishProven(proven);
        LazyRequest memory now_ = lazyProven();
        board.publishLazy(now_);
        assertEq(latest(PROVABLE, 0).requestId, proven, "the first of two equals");
    }

    function test_aNewerOneWithAtLeastTheBondHides() external {
        LazyRequest memory first = lazyResult(COLLATERAL);
        board.publishLazy(first);
        LazyRequest memory second = lazyResult(FLOOR);
        board.publishLazy(second);
        assertEq(latest(LAZY, 0).requestId, lazy.idOf(second), "newest");
        assertEq(latest(LAZY, FLOOR).requestId, lazy.idOf(second), "newest with the floor");
        assertEq(latest(LAZY, FLOOR + 1).requestId, lazy.idOf(first), "newest with more");
        _assertCounts(2, 2);
        LazyRequest memory third = lazyResult(COLLATERAL);
        board.publishLazy(third);
        assertEq(latest(LAZY, COLLATERAL).requestId, lazy.idOf(third), "as much bond, newer");
        _assertCounts(3, 1);
    }

    function test_onesPublishedLateTakeTheirPlace() external {
        LazyRequest memory high = lazyResult(COLLATERAL);
        LazyRequest memory middle = lazyResult(COLLATERAL / 2);
        LazyRequest memory low = lazyResult(FLOOR);
        board.publishLazy(low);
        board.publishLazy(high);
        board.publishLazy(middle);
        assertEq(latest(LAZY, 0).requestId, lazy.idOf(low), "newest");
        assertEq(latest(LAZY, FLOOR + 1).requestId, lazy.idOf(middle), "between");
        assertEq(latest(LAZY, COLLATERAL).requestId, lazy.idOf(high), "best");
        BoardResult[] memory page = board.standing(lazyTopic(), 0, 10);
        assertEq(page.length, 3, "three stand");
        assertEq(page[0].requestId, lazy.idOf(low), "newest first");
        assertEq(page[2].requestId, lazy.idOf(high), "oldest last");
        assertEq(board.standing(lazyTopic(), 1, 1)[0].requestId, lazy.idOf(middle), "a page");
        assertEq(board.standing(lazyTopic(), 3, 1).length, 0, "past the end");
        (uint256[] memory ids, bytes32[] memory digests) = board.history(lazyTopic(), 0, 10);
        assertEq(ids.length, 3, "three were published");
        assertEq(ids[0], lazy.idOf(low), "in the order of publication");
        assertEq(ids[2], lazy.idOf(middle), "the last");
        assertEq(digests[1], keccak256(truth()), "with their digests");
        (ids,) = board.history(lazyTopic(), 2, 10);
        assertEq(ids.length, 1, "a short page");
    }

    function test_historyKeepsWhatIsHidden() external {
        LazyRequest memory first = lazyResult(FLOOR, "another answer");
        board.publishLazy(first);
        board.publishLazy(lazyResult(COLLATERAL));
        assertEq(board.standing(lazyTopic(), 0, 10).length, 1, "one stands");
        (uint256[] memory ids, bytes32[] memory digests) = board.history(lazyTopic(), 0, 10);
        assertEq(ids[0], lazy.idOf(first), "kept");
        assertEq(digests[0], keccak256("another answer"), "and what it said");
    }

    function test_twiceIsRefused() external {
        LazyRequest memory asked = lazyResult(COLLATERAL);
        board.publishLazy(asked);
        _hidden(asked);
        board.publishLazy(lazyResult(COLLATERAL));
        _hidden(asked);
        QuorumRequest memory agreed = quorumResult(CLASS, truth());
        bytes32 topic = board.publishQuorum(agreed);
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_Hidden.selector, topic, quorum.idOf(agreed)));
        board.publishQuorum(agreed);
        AttestedRequest memory signed = attestedResult(truth());
        topic = board.publishAttested(signed);
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_Hidden.selector, topic, attested.idOf(signed)));
        board.publishAttested(signed);
    }

    function test_provenResultsFollowEachOtherByTheBlocksThatTheMarketKeeps() external {
        uint256 first = provenResult();
        uint256 second = provenResult();
        vm.roll(block.number + 256);
        uint256 third = provenResult();
        bytes32 topic = board.publishProven(first);
        // Within the same 256 blocks one proof is as good as another.
        uint256[2] memory refused = [first, second];
        for (uint256 i = 0; i < refused.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_Hidden.selector, topic, refused[i]));
            board.publishProven(refused[i]);
        }
        board.publishProven(third);
        assertEq(latest(ZK, 0).requestId, third, "newer");
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_Hidden.selector, topic, first));
        board.publishProven(first);
    }

    // --- what readers must say ---

    function test_latestTakesNoModesWhoseTermsAStrangerChose() external {
        uint8[4] memory bad = [QUORUM, ATTESTED, ALL_MODES, 16 | ZK];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NeedsTerms.selector, bad[i]));
            board.latest(everyMode, binding(), bad[i], 0);
        }
    }

    function test_whoBelievesQuorumsOrKeysSaysWhose() external {
        Acceptance memory unnamed = acceptance(QUORUM);
        unnamed.runtimeClass = 0;
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NeedsTerms.selector, QUORUM));
        board.latestUnder(everyMode, binding(), unnamed);
        unnamed = acceptance(ATTESTED | ZK);
        unnamed.verifier = address(0);
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NeedsTerms.selector, ATTESTED | ZK));
        board.latestUnder(everyMode, binding(), unnamed);
        // What is not asked for need not be named.
        unnamed.modes = PROVABLE;
        unnamed.runtimeClass = 0;
        assertNothing(board.latestUnder(everyMode, binding(), unnamed));
    }

    function _hidden(LazyRequest memory asked) private {
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_Hidden.selector, lazyTopic(), lazy.idOf(asked)));
        board.publishLazy(asked);
    }

    function _assertCounts(uint256 published, uint256 standing) private view {
        (uint256 published_, uint256 standing_) = board.countsOf(lazyTopic());
        assertEq(published_, published, "published");
        assertEq(standing_, standing, "standing");
    }

    function _finishTogether(LazyRequest[3] memory asked) private {
        LazyClaim[3] memory claims;
        for (uint256 i = 0; i < 3; ++i) {
            claims[i] = answerSigned(asked[i], truth());
        }
        pastWindow(claims[2]);
        for (uint256 i = 0; i < 3; ++i) {
            lazy.finalize(claims[i], "");
        }
    }
}
