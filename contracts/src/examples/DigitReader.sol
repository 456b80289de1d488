// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {InferenceReceiver} from "../consumer/InferenceReceiver.sol";
import {Tensor} from "../consumer/Tensor.sol";
import {IInferenceMarket} from "../interfaces/IInferenceMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IoSchema} from "../libraries/IoSchema.sol";
import {TrustMode} from "../types/ModelTypes.sol";

/// @title A contract that reads digits
/// @notice The smallest receiver that acts on a proven output: it takes the label with the highest score and keeps it
/// by what was proven about the input. It asks for nothing and pays for nothing: any requester may name it as callback.
contract DigitReader is InferenceReceiver {
    /// @notice A digit was read from an input.
    event DigitRead(uint256 indexed requestId, address indexed requester, bytes32 indexed inputBinding, uint8 digit);

    error DigitReader_NotOneOutput(uint256 outputs);
    error DigitReader_TooManyLabels(uint256 labels);
    error DigitReader_UnknownInput(bytes32 inputBinding);

    /// @notice Number of labels, the elements of the version's one output tensor.
    uint256 public immutable LABELS;
    uint256 private immutable WIDTH;

    mapping(bytes32 inputBinding => uint256 digitPlusOne) private _digits;

    /// @notice How often each digit was read.
    mapping(uint8 digit => uint256 count) public countOf;

    constructor(address market, uint64 versionId)
        InferenceReceiver(market, versionId, uint8(1 << uint8(TrustMode.ZK)))
    {
        // Check: one tensor of scores, few enough that a label fits a byte.
        bytes memory schema = IModelRegistry(IInferenceMarket(market).registry()).ioSchema(versionId);
        uint256 outputs = IoSchema.outputCount(schema);
        if (outputs != 1) revert DigitReader_NotOneOutput(outputs);
        Tensor.Layout memory scores = Tensor.outputLayout(schema, 0);
        if (scores.count > 256) revert DigitReader_TooManyLabels(scores.count);
        // Effect
        WIDTH = scores.width;
        LABELS = scores.count;
    }

    /// @notice The digit that was read from an input.
    function digitOf(bytes32 inputBinding) external view returns (uint8) {
        uint256 digitPlusOne = _digits[inputBinding];
        if (digitPlusOne == 0) revert DigitReader_UnknownInput(inputBinding);
        return uint8(digitPlusOne - 1);
    }

    /// @inheritdoc InferenceReceiver
    function _receive(uint256 requestId, address requester, bytes32 inputBinding, bytes calldata output)
        internal
        override
    {
        // Effect: kept by what was proven. An exact circuit gives one input one digit; where rescaling leaves a prover
        // a choice between neighbours, the last reading stands.
        uint8 digit = uint8(Tensor.argmax(output, WIDTH));
        _digits[inputBinding] = uint256(digit) + 1;
        ++countOf[digit];
        emit DigitRead(requestId, requester, inputBinding, digit);
    }
}
