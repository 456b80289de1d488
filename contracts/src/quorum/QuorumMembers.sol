// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IQuorumMembers} from "./IQuorumMembers.sol";
import {QuorumDraw} from "./QuorumDraw.sol";
import {QuorumEnrolment} from "./QuorumEnrolment.sol";
import {Draw, MemberLimits, SeatEnd} from "./QuorumTypes.sol";

/// @title Who may be drawn into quorums
/// @notice Enrolments and draws of one market, which creates this contract and alone may draw and end seats. What a
/// seat can cost is fixed here: the market says how it ended, not how much.
contract QuorumMembers is QuorumDraw {
    address private immutable MARKET;

    constructor(address registry_, address staking_, MemberLimits memory limits)
        QuorumEnrolment(registry_, staking_, limits)
    {
        // Effect
        MARKET = msg.sender;
    }

    /// @inheritdoc IQuorumMembers
    function draw(uint64 versionId, bytes32 runtimeClass, Draw calldata wanted)
        external
        nonReentrant
        returns (address[] memory members)
    {
        // Check
        _requireMarket();
        _checkOver(wanted.blockNumber);
        // Effect
        return _draw(_refOf(versionId, runtimeClass), wanted);
    }

    /// @inheritdoc IQuorumMembers
    function endSeats(
        uint64 versionId,
        bytes32 runtimeClass,
        uint256 requestId,
        address[] calldata members,
        SeatEnd[] calldata ends,
        address beneficiary,
        uint256 most
    ) external nonReentrant returns (uint256 compensated) {
        // Check
        _requireMarket();
        // Effect, Interaction: the staking contract moves no tokens and calls nobody.
        PoolRef memory ref = _refOf(versionId, runtimeClass);
        for (uint256 i = 0; i < members.length; ++i) {
            if (ends[i] == SeatEnd.FREE) {
                _leaveSeat(ref, members[i]);
                continue;
            }
            Loss memory loss = _lossOf(ends[i], most - compensated);
            compensated += loss.compensation;
            loss.requestId = requestId;
            loss.beneficiary = loss.compensation == 0 ? address(0) : beneficiary;
            _slashSeat(ref, members[i], loss);
        }
    }

    /// @inheritdoc IQuorumMembers
    function market() external view returns (address) {
        return MARKET;
    }

    /// @dev Silence costs a bond, another output no more than that. At least half burns, so nobody gains by losing.
    function _lossOf(SeatEnd end, uint256 most) private view returns (Loss memory loss) {
        loss.isSilent = end == SeatEnd.SILENT;
        loss.amount = loss.isSilent ? SEAT_BOND : OUTLIER_SLASH;
        loss.compensation = most < loss.amount / 2 ? most : loss.amount / 2;
    }

    function _requireMarket() private view {
        if (msg.sender != MARKET) revert QuorumMembers_NotMarket(msg.sender);
    }
}
