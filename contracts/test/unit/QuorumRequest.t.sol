// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {IQuorumMarket} from "../../src/quorum/IQuorumMarket.sol";
import {QuorumRequest, QuorumState} from "../../src/quorum/QuorumTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

contract QuorumRequestTest is QuorumNetwork {
    // --- what happens ---

    function test_aRequestTakesThePrice() external {
        QuorumRequest memory asked = request();
        uint256 requestId = market.idOf(asked);
        vm.expectEmit(address(market));
        emit IQuorumMarket.QuorumOpened(requestId, versionId, requester, asked, uint64(block.number), input);
        vm.prank(requester);
        assertEq(market.request(asked, input), requestId, "the id is the digest");
        assertState(requestId, QuorumState.OPEN);
        assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "escrow");
        assertEq(market.recordOf(requestId), uint256(QuorumState.OPEN) << 248 | block.number, "the record");
    }

    function test_aSignedRequestIsOpenedByAnybody() external {
        QuorumRequest memory asked = request();
        bytes memory signature = signatureOf(requesterKey, market.idOf(asked));
        vm.prank(stranger);
        uint256 requestId = market.requestSigned(asked, signature, input);
        assertState(requestId, QuorumState.OPEN);
        assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "from the requester's balance");
    }

    /// @notice EIP-712 by hand, from the standard's words.
    function test_theIdIsEip712s() external {
        QuorumRequest memory asked = request();
        asked.inputHint = "https://inputs.example/1";
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Gateless QuorumMarket"),
                keccak256("1"),
                block.chainid,
                address(market)
            )
        );
        bytes memory type_ =
            "QuorumInferenceRequest(address requester,uint64 versionId,bytes32 runtimeClass,bytes32 inputDigest,bytes32 inputBinding,uint128 price,uint8 members,uint8 threshold,uint128 minEligible,uint64 deadline,uint32 commitWindow,uint32 revealWindow,address callback,uint32 callbackGas,uint256 nonce,string inputHint)";
        bytes memory head = abi.encode(
            keccak256(type_),
            asked.requester,
            asked.versionId,
            asked.runtimeClass,
            asked.inputDigest,
            asked.inputBinding,
            asked.price,
            asked.members
        );
        bytes memory tail = abi.encode(
            asked.threshold,
            asked.minEligible,
            asked.deadline,
            asked.commitWindow,
            asked.revealWindow,
            asked.callback,
            asked.callbackGas,
            asked.nonce,
            keccak256(bytes(asked.inputHint))
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, keccak256(bytes.concat(head, tail))));
        assertEq(market.idOf(asked), uint256(digest), "digest");
    }

    function test_severalInOneTransaction() external {
        QuorumRequest memory first = request();
        QuorumRequest memory second = request();
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(market.request, (first, input));
        calls[1] = abi.encodeCall(market.request, (first, input));
        calls[2] = abi.encodeCall(market.request, (second, input));
        vm.prank(requester);
        assertEq(market.batch(calls), 2, "the repeated one is left out");
        assertState(market.idOf(first), QuorumState.OPEN);
        assertState(market.idOf(second), QuorumState.OPEN);
        assertEq(market.balanceOf(requester), DEPOSIT - 2 * PRICE, "twice the price");
    }

    // --- what is refused ---

    function test_refusesRequestsOfOthers() external {
        QuorumRequest memory asked = request();
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_NotRequester.selector, market.idOf(asked), stranger, requester
            )
        );
        vm.prank(stranger);
        market.request(asked, input);
    }

    function test_refusesForeignSignatures() external {
        QuorumRequest memory asked = request();
        (, uint256 strangersKey) = makeAddrAndKey("stranger");
        bytes memory signature = signatureOf(strangersKey, market.idOf(asked));
        vm.expectRevert(
            abi.encodeWithSelector(IRecordMarket.RecordMarket_InvalidSignature.selector, market.idOf(asked), requester)
        );
        market.requestSigned(asked, signature, input);
    }

    function test_refusesNumbersOutOfRange() external {
        QuorumRequest memory asked = requestFor(MIN_MEMBERS - 1, 2);
        _refused(asked, _membersOutOfRange(MIN_MEMBERS - 1));
        asked = requestFor(MAX_MEMBERS + 1, 6);
        _refused(asked, _membersOutOfRange(MAX_MEMBERS + 1));
    }

    function test_refusesThresholdsAboveTheMembers() external {
        _refused(requestFor(5, 6), abi.encodeWithSelector(IQuorumMarket.QuorumMarket_NoMajority.selector, 6, 5));
    }

    function test_refusesWindowsOutOfRange() external {
        QuorumRequest memory asked = request();
        asked.commitWindow = MIN_WINDOW - 1;
        _refused(asked, _windowOutOfRange(asked.commitWindow));
        asked.commitWindow = MAX_WINDOW + 1;
        _refused(asked, _windowOutOfRange(asked.commitWindow));
        asked.commitWindow = MAX_WINDOW;
        asked.revealWindow = MIN_WINDOW - 1;
        _refused(asked, _windowOutOfRange(asked.revealWindow));
        asked.revealWindow = MAX_WINDOW + 1;
        _refused(asked, _windowOutOfRange(asked.revealWindow));
    }

    function test_refusesDeadlinesOutOfRange() external {
        QuorumRequest memory asked = request();
        uint64 now_ = uint64(block.timestamp);
        asked.deadline = now_ - 1;
        _refused(asked, _deadlineOutOfRange(asked.deadline));
        asked.deadline = now_ + MAX_LIFETIME + 1;
        _refused(asked, _deadlineOutOfRange(asked.deadline));
        asked.deadline = now_;
        open(asked);
        asked = request();
        asked.deadline = now_ + MAX_LIFETIME;
        open(asked);
    }

    function test_refusesInputsThatAreNotThere() external {
        QuorumRequest memory asked = request();
        vm.startPrank(requester);
        vm.expectRevert(IQuorumMarket.QuorumMarket_InputMissing.selector);
        market.request(asked, "");
        bytes memory other = hex"00";
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_InputDigestMismatch.selector, keccak256(other), asked.inputDigest
            )
        );
        market.request(asked, other);
        vm.stopPrank();
    }

    function test_refusesOtherBindings() external {
        QuorumRequest memory asked = request();
        asked.inputBinding = keccak256("another input");
        _refused(
            asked,
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_InputBindingMismatch.selector, asked.inputBinding, asked.inputDigest
            )
        );
    }

    function test_refusesVersionsThatDoNotAllowIt() external {
        QuorumRequest memory asked = request();
        asked.versionId = publish(uint8(1 << uint8(TrustMode.ATTESTED)));
        _refused(
            asked,
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_ModeNotAllowed.selector, asked.versionId, TrustMode.QUORUM
            )
        );
    }

    function test_refusesPoolsThatAreTooSmall() external {
        QuorumRequest memory asked = request();
        uint256 whole = MEMBER_COUNT * STAKE;
        asked.minEligible = uint128(whole) + 1;
        _refused(asked, abi.encodeWithSelector(IQuorumMarket.QuorumMarket_NotEnoughEligible.selector, whole, whole + 1));
        asked.runtimeClass = keccak256("nobody's class");
        asked.minEligible = 0;
        _refused(asked, abi.encodeWithSelector(IQuorumMarket.QuorumMarket_NotEnoughEligible.selector, 0, 0));
        asked.runtimeClass = CLASS;
        asked.minEligible = uint128(whole);
        open(asked);
    }

    function test_refusesWhatNobodyCanPay() external {
        QuorumRequest memory asked = request();
        asked.price = uint128(DEPOSIT) + 1;
        _refused(
            asked,
            abi.encodeWithSelector(
                ITokenAccounts.TokenAccounts_InsufficientBalance.selector, requester, DEPOSIT, DEPOSIT + 1
            )
        );
        asked.price = uint128(1) << 88;
        _refused(
            asked,
            abi.encodeWithSelector(IRecordMarket.RecordMarket_PriceTooHigh.selector, asked.price, type(uint88).max)
        );
    }

    function test_refusesCallbacksOutOfRange() external {
        QuorumRequest memory asked = request();
        asked.callbackGas = 1;
        _refused(asked, abi.encodeWithSelector(IRecordMarket.RecordMarket_CallbackGasWithoutCallback.selector));
        asked.callback = stranger;
        asked.callbackGas = MAX_CALLBACK_GAS + 1;
        _refused(
            asked,
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_CallbackGasTooHigh.selector, MAX_CALLBACK_GAS + 1, MAX_CALLBACK_GAS
            )
        );
    }

    function _refused(QuorumRequest memory asked, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(requester);
        market.request(asked, input);
    }

    function _membersOutOfRange(uint256 members) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IQuorumMarket.QuorumMarket_MembersOutOfRange.selector, members, MIN_MEMBERS, MAX_MEMBERS
        );
    }

    function _windowOutOfRange(uint256 window) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IQuorumMarket.QuorumMarket_WindowOutOfRange.selector, window, MIN_WINDOW, MAX_WINDOW);
    }

    function _deadlineOutOfRange(uint64 deadline) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IRecordMarket.RecordMarket_DeadlineOutOfRange.selector,
            deadline,
            uint64(block.timestamp),
            uint64(block.timestamp) + MAX_LIFETIME
        );
    }
}
