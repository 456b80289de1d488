// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../../src/ExecutorStaking.sol";
import {InferenceMarket} from "../../../src/InferenceMarket.sol";
import {ModelRegistry} from "../../../src/ModelRegistry.sol";
import {SignatureValidator} from "../../../src/SignatureValidator.sol";
import {ZkVerifier} from "../../../src/ZkVerifier.sol";
import {TestDollar} from "../../../src/development/TestDollar.sol";
import {Network} from "../../Network.t.sol";
import {PlainNetwork} from "../../PlainNetwork.t.sol";
import {AttestedHandler} from "./AttestedHandler.sol";
import {CourtHandler} from "./CourtHandler.sol";
import {CourtStage} from "./CourtStage.sol";
import {LazyHandler} from "./LazyHandler.sol";
import {LazyStage} from "./LazyStage.sol";
import {NetworkHandler} from "./NetworkHandler.sol";
import {QuorumHandler} from "./QuorumHandler.sol";
import {QuorumStage} from "./QuorumStage.sol";

/// @notice What all markets of one deployment share.
struct Ground {
    TestDollar token;
    ModelRegistry registry;
    ZkVerifier verifier;
    ExecutorStaking staking;
    InferenceMarket market;
    SignatureValidator validator;
}

/// @title The handler on whose deployment the others are guests
contract HostHandler is NetworkHandler {
    function ground() external view returns (Ground memory) {
        return Ground(token, registry, verifier, staking, market, validator);
    }
}

/// @title A network around contracts that are there already
abstract contract NetworkGuest is Network {
    Ground private _ground;

    constructor(Ground memory ground_) {
        _ground = ground_;
    }

    function begin() internal virtual override {
        (token, registry, verifier) = (_ground.token, _ground.registry, _ground.verifier);
        (staking, market, validator) = (_ground.staking, _ground.market, _ground.validator);
    }

    /// @dev The host's have theirs.
    function endow() internal virtual override {}
}

/// @title The same of a network whose versions have no circuits
abstract contract PlainGuest is PlainNetwork {
    Ground private _ground;

    constructor(Ground memory ground_) {
        _ground = ground_;
    }

    function begin() internal virtual override {
        (token, registry) = (_ground.token, _ground.registry);
        (staking, validator) = (_ground.staking, _ground.validator);
    }
}

contract LazyGuest is NetworkGuest, LazyHandler {
    constructor(Ground memory ground_) NetworkGuest(ground_) {}

    function modelName() internal pure override returns (string memory) {
        return "digits-lazy";
    }

    function setUp() public override(Network, LazyStage) {
        super.setUp();
    }

    function begin() internal override(Network, NetworkGuest) {
        NetworkGuest.begin();
    }

    function endow() internal override(Network, NetworkGuest) {}
}

contract CourtGuest is NetworkGuest, CourtHandler {
    constructor(Ground memory ground_) NetworkGuest(ground_) {}

    function modelName() internal pure override returns (string memory) {
        return "digits-receipts";
    }

    function setUp() public override(Network, CourtStage) {
        super.setUp();
    }

    function begin() internal override(Network, NetworkGuest) {
        NetworkGuest.begin();
    }

    function endow() internal override(Network, NetworkGuest) {}
}

/// @dev Its members are the executors of the other markets, and some more.
contract QuorumGuest is PlainGuest, QuorumHandler {
    constructor(Ground memory ground_) PlainGuest(ground_) {}

    function modelName() internal pure override returns (string memory) {
        return "embedder-quorum";
    }

    function setUp() public override(PlainNetwork, QuorumStage) {
        super.setUp();
    }

    function begin() internal override(PlainNetwork, PlainGuest) {
        PlainGuest.begin();
    }

    function memberName(uint256 index) internal pure override returns (string memory) {
        return string.concat("executor ", vm.toString(index + 1));
    }
}

contract AttestedGuest is PlainGuest, AttestedHandler {
    constructor(Ground memory ground_) PlainGuest(ground_) {}

    function modelName() internal pure override returns (string memory) {
        return "embedder-attested";
    }

    function setUp() public override(PlainNetwork, AttestedHandler) {
        super.setUp();
    }

    function begin() internal override(PlainNetwork, PlainGuest) {
        PlainGuest.begin();
    }
}
