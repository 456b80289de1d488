// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Tensor} from "../consumer/Tensor.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IoSchema} from "../libraries/IoSchema.sol";
import {IResultBoard} from "../results/IResultBoard.sol";
import {BoardResult} from "../results/ResultTypes.sol";
import {TrustMode} from "../types/ModelTypes.sol";

/// @title A contract that reuses answers which others paid for
/// @notice Asks for nothing: it reads the board. Whoever wants to use a digit shows the output; the board says whether
/// it is the latest verified one for that input.
contract ReusedDigit {
    error ReusedDigit_NotOneOutput(uint256 outputs);
    error ReusedDigit_NoResult(bytes32 inputBinding);
    error ReusedDigit_OtherOutput(bytes32 given, bytes32 latest);
    error ReusedDigit_OutputLength(uint256 length, uint256 expected);

    IResultBoard public immutable BOARD;
    uint64 public immutable VERSION_ID;
    /// @notice Least stake that must have answered for a digit that was not proven.
    uint128 public immutable MIN_BOND;
    uint256 private immutable _WIDTH;
    uint256 private immutable _OUTPUT_LENGTH;

    /// @param minBond more than a wrong digit could be worth to anybody.
    constructor(address board, uint64 versionId, uint128 minBond) {
        // Check: one tensor of scores.
        bytes memory schema = IModelRegistry(IResultBoard(board).registry()).ioSchema(versionId);
        uint256 outputs = IoSchema.outputCount(schema);
        if (outputs != 1) revert ReusedDigit_NotOneOutput(outputs);
        Tensor.Layout memory scores = Tensor.outputLayout(schema, 0);
        // Effect
        BOARD = IResultBoard(board);
        VERSION_ID = versionId;
        MIN_BOND = minBond;
        _WIDTH = scores.width;
        _OUTPUT_LENGTH = scores.width * scores.count;
    }

    /// @notice The digit that an input shows.
    /// @param inputBinding for packed inputs: keccak256 of the packed input.
    /// @param output the packed output that the latest result has; anybody finds it in the markets' events.
    function digitOf(bytes32 inputBinding, bytes calldata output) external view returns (uint256) {
        uint8 proofs = uint8((1 << uint8(TrustMode.ZK)) | (1 << uint8(TrustMode.LAZY_ZK)));
        BoardResult memory result = BOARD.latest(VERSION_ID, inputBinding, proofs, MIN_BOND);
        // Check: there is a verified answer, and this is it.
        if (result.requestId == 0) revert ReusedDigit_NoResult(inputBinding);
        if (keccak256(output) != result.outputDigest) {
            revert ReusedDigit_OtherOutput(keccak256(output), result.outputDigest);
        }
        // Check: the shape that the schema promises. An answer that nobody challenged has whatever its executor sent.
        if (output.length != _OUTPUT_LENGTH) revert ReusedDigit_OutputLength(output.length, _OUTPUT_LENGTH);
        return Tensor.argmax(output, _WIDTH);
    }
}
