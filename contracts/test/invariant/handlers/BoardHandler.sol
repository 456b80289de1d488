// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest} from "../../../src/attested/AttestedTypes.sol";
import {QuorumRequest} from "../../../src/quorum/QuorumTypes.sol";
import {Acceptance} from "../../../src/results/ResultTypes.sol";
import {LazyRequest} from "../../../src/types/LazyTypes.sol";
import {TrustMode} from "../../../src/types/ModelTypes.sol";
import {BoardNetwork} from "../../BoardNetwork.t.sol";
import {Topic} from "./BoardModel.sol";
import {BoardPublisher} from "./BoardPublisher.sol";

/// @title Results of every kind, published in whatever order
/// @notice All are of one version and one input: three kinds in topics of their own, two classes, two sets of keys.
contract BoardHandler is BoardNetwork, BoardPublisher {
    /// @param data the call that publishes it.
    struct Made {
        TrustMode mode;
        uint256 requestId;
        bytes data;
        Topic place;
    }

    uint256 internal constant MAX_MADE = 60;
    /// @dev More than stay behind one that comes late.
    uint256 internal constant PILE = 36;
    bytes32 internal constant OTHER_CLASS = keccak256("arm64 neon; onnxruntime 1.31.1");

    Made[] internal made;
    bool internal hasPile;
    uint256[] internal otherKeys = sortedKeys(2, 2);

    function setUp() public override {
        super.setUp();
        _begin(board);
        for (uint256 i = 0; i < MEMBERS; ++i) {
            enrollIn(OTHER_CLASS, makeAddr(string.concat("other member ", vm.toString(i))));
        }
        nextBlock();
    }

    // --- results, final and not ---

    function makeProven() external {
        if (!_hasRoom()) return;
        depositFor(requester, PRICE);
        uint256 requestId = provenResult();
        _made(TrustMode.ZK, requestId, abi.encodeCall(board.publishProven, (requestId)), _place());
        _count("makeProven");
    }

    /// @notice One that is only asked for.
    function makeUnfinished(bool isLazy) external {
        if (!_hasRoom()) return;
        if (isLazy) {
            depositLazy(requester, PRICE);
            LazyRequest memory asked = lazyAsked(FLOOR);
            answerSigned(asked, truth());
            _madeLazy(asked);
        } else {
            depositFor(requester, PRICE);
            uint256 requestId = open(paramsFor(everyMode, packed, 0));
            _made(TrustMode.ZK, requestId, abi.encodeCall(board.publishProven, (requestId)), _place());
        }
        _count("makeUnfinished");
    }

    /// @notice With few bonds, so that equal ones meet; some are lies that nobody doubted.
    function makeLazy(uint256 bond, uint256 lie) external {
        if (!_hasRoom()) return;
        depositLazy(requester, PRICE);
        bytes memory answer = lie % 4 == 0 ? bytes("a lie") : truth();
        _madeLazy(lazyResult(FLOOR + uint128(bond % 6) * 1e6, answer));
        _count("makeLazy");
    }

    function makeLazyProven() external {
        if (!_hasRoom()) return;
        depositLazy(requester, PRICE);
        _madeLazy(lazyProven());
        _count("makeLazyProven");
    }

    function makeQuorum(uint256 class, uint256 word) external {
        if (!_hasRoom()) return;
        depositIn(address(quorum), requester);
        QuorumRequest memory asked = quorumResult(class % 2 == 0 ? CLASS : OTHER_CLASS, abi.encode(word));
        Topic memory place = _place();
        place.acceptance.runtimeClass = asked.runtimeClass;
        _made(TrustMode.QUORUM, quorum.idOf(asked), abi.encodeCall(board.publishQuorum, (asked)), place);
        _count("makeQuorum");
    }

    function makeAttested(uint256 whose, uint256 word) external {
        if (!_hasRoom()) return;
        depositIn(address(attested), requester);
        AttestedRequest memory asked = attestedAsked();
        if (whose % 2 == 1) asked.policy = keySets.policyOf(2, addressesOf(otherKeys));
        answerAttested(asked, whose % 2 == 1 ? otherKeys : keys, abi.encode(word));
        Topic memory place = _place();
        (place.acceptance.verifier, place.acceptance.policy) = (asked.verifier, asked.policy);
        _made(TrustMode.ATTESTED, attested.idOf(asked), abi.encodeCall(board.publishAttested, (asked)), place);
        _count("makeAttested");
    }

    /// @notice Behind one with a high bond, which nobody publishes yet, many with falling bonds that all stand.
    function pileUp() external {
        if (hasPile) return;
        hasPile = true;
        depositLazy(requester, (PILE + 1) * PRICE);
        _madeLazy(lazyResult(20e6, truth()));
        bytes32 id;
        for (uint256 i = 0; i < PILE; ++i) {
            _madeLazy(lazyResult(uint128(19e6 - i * 0.1e6), truth()));
            id = _publishAt(made.length - 1);
        }
        model.checkTopic(id);
        _count("pileUp");
    }

    // --- and publishing ---

    function publish(uint256 seed) external {
        if (made.length == 0) return;
        bytes32 id = _publishAt(seed % made.length);
        if (id != 0) model.checkTopic(id);
    }

    function passTime(uint256 seconds_) external {
        skip(bound(seconds_, 1, 1 hours));
        _count("passTime");
    }

    function actions() external pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](16);
        (selectors[0], selectors[1]) = (this.makeProven.selector, this.makeUnfinished.selector);
        (selectors[2], selectors[3]) = (this.makeLazy.selector, this.makeLazy.selector);
        (selectors[4], selectors[5]) = (this.makeLazyProven.selector, this.makeQuorum.selector);
        (selectors[6], selectors[7]) = (this.makeAttested.selector, this.pileUp.selector);
        selectors[8] = this.passTime.selector;
        for (uint256 i = 9; i < 16; ++i) {
            selectors[i] = this.publish.selector;
        }
    }

    /// @notice What a reader of these modes finds, against all that was published in them.
    function checkReader(uint8 modes, uint128 minBond) external view {
        Acceptance memory believed = acceptance(modes);
        believed.minBond = minBond;
        model.checkReader(everyMode, binding(), _topics(), believed);
    }

    /// @dev In the order of the modes.
    function _topics() private view returns (bytes32[] memory ids) {
        Topic memory place = _place();
        place.acceptance = acceptance(ALL_MODES);
        ids = new bytes32[](4);
        for (uint256 mode = 0; mode < 4; ++mode) {
            ids[mode] = topicOf(place, TrustMode(mode));
        }
    }

    // --- steps ---

    function _hasRoom() private view returns (bool) {
        return made.length < MAX_MADE;
    }

    function _place() private view returns (Topic memory place) {
        (place.versionId, place.binding) = (everyMode, binding());
    }

    function _madeLazy(LazyRequest memory asked) private {
        _made(TrustMode.LAZY_ZK, lazy.idOf(asked), abi.encodeCall(board.publishLazy, (asked)), _place());
    }

    function _made(TrustMode mode, uint256 requestId, bytes memory data, Topic memory place) private {
        made.push(Made(mode, requestId, data, place));
    }

    function _publishAt(uint256 index) private returns (bytes32 id) {
        Made memory one = made[index];
        string[4] memory names = ["publishProven", "publishLazy", "publishQuorum", "publishAttested"];
        return _publish(one.mode, one.requestId, one.data, one.place, names[uint256(one.mode)]);
    }
}
