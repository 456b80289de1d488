"""Quantised operators as the float arithmetic that they stand for.

A circuit computes on integers of its own scales, so the roundings of an 8-bit model are not
repeated: a quantised tensor is carried as the real number before rounding, clipped to the range of
its type. Each rounding left out moves a value by at most half a step of its scale.
"""

from __future__ import annotations

import numpy as np
from gateless.core.errors import ModelError
from onnx import TensorProto, helper

from gateless_proofs.rewrite.activations import clipped
from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.graph import Array, Emitter, Graph, Node

_QUANTISED = frozenset(
    (
        *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger"),
        *("ConvInteger", "QLinearMatMul", "QLinearConv"),
    )
)
_KEEPS_TYPE = frozenset(
    (
        *("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Gather", "Concat"),
        *("MaxPool", "Pad", "Identity", "Relu", "Max", "Min", "Clip", "Add", "Sub", "Mul", "Where"),
        *("Expand", "Tile", "Split", "Cast", "MatMul"),
    )
)


class _Reals:
    """Rewrites a graph node by node; remembers which integer tensors became real ones."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.emit = Emitter(graph)
        self.real: set[str] = set()

    def run(self) -> bool:
        """Whether anything was quantised."""
        if not any(node.op in _QUANTISED and not node.domain for node in self.graph.nodes):
            return False
        for node in self.graph.nodes:
            handler = getattr(self, "_" + node.op.lower(), None) if not node.domain else None
            if node.op in _QUANTISED and handler is not None:
                if node.attributes.get("block_size"):
                    raise ModelError(
                        "unsupported-operator",
                        f"{node.op} in blocks cannot be put into a circuit",
                        hint="use the model before quantisation",
                        operator=node.op,
                    )
                handler(node)
            else:
                self._follow(node)
        for value in self.graph.outputs:
            if value.name in self.real:
                self._integral_output(value.name, value.dtype)
        self.graph.nodes = self.emit.nodes
        return True

    def _integral_output(self, name: str, dtype: int) -> None:
        """An output keeps its type: what was carried unrounded is rounded at the end."""
        inner = self.graph.fresh("unrounded")
        for node in self.emit.nodes:
            node.outputs = [inner if entry == name else entry for entry in node.outputs]
            node.inputs = [inner if entry == name else entry for entry in node.inputs]
        self.emit("Cast", [self.emit("Round", [inner])], name, to=dtype)

    def _follow(self, node: Node) -> None:
        """Operators between quantised ones take the real numbers, constants beside them too."""
        touched = any(name in self.real for name in node.inputs)
        if touched and node.op in _KEEPS_TYPE:
            if node.op == "Cast":
                target = int(node.attributes["to"])
                if target in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16):
                    node = Node("Cast", node.inputs, node.outputs, {"to": target})
                else:
                    node = Node("Identity", node.inputs, node.outputs)
                    self.real.update(node.outputs)
            else:
                data = (0,) if node.op in ("Reshape", "Slice", "Gather", "Expand", "Tile") else None
                for place, name in enumerate(node.inputs):
                    if (data is None or place in data) and name in self.graph.constants:
                        if node.op in ("Squeeze", "Unsqueeze", "Split", "Pad") and place == 1:
                            continue
                        node.inputs[place] = self.emit.const(self.graph.constants[name])
                self.real.update(name for name in node.outputs if name)
        self.emit.nodes.append(node)

    # -- the operators -------------------------------------------------------------------------

    def _number(self, name: str, like: Array | None = None) -> Array:
        if not name:
            return np.zeros(()) if like is None else np.zeros(like.shape)
        return self.graph.constants[name].astype(np.float64)

    def _along(self, values: Array, axis: int, rank: int) -> Array:
        """A number per slice of an axis, shaped to broadcast."""
        if values.ndim == 0 or values.size == 1:
            return values.reshape(())
        shape = [1] * rank
        shape[axis % rank] = -1
        return values.reshape(shape)

    def _limits(self, dtype: int) -> tuple[float, float]:
        info = np.iinfo(helper.tensor_dtype_to_np_dtype(dtype))
        return float(info.min), float(info.max)

    def _quantise(self, value: str, scale: Array, zero: Array, dtype: int, output: str = "") -> str:
        """value / scale + zero, kept in the range of the type."""
        moved = self.emit("Mul", [value, self.emit.const(1.0 / scale)])
        if np.any(zero):
            moved = self.emit("Add", [moved, self.emit.const(zero)])
        low, high = self._limits(dtype)
        result = clipped(self.emit, moved, low, high, output)
        self.real.add(result)
        return result

    def _dequantise(self, name: str, scale: Array, zero: Array, output: str = "") -> str:
        """(value - zero) * scale of a tensor, be it constant or computed."""
        stored = self.graph.value(name)
        if stored is not None:
            real = (stored.astype(np.float64) - zero) * scale
            constant = self.emit.const(real)
            return self.emit("Identity", [constant], output) if output else constant
        source = name
        if name not in self.real and not self.graph.is_float(name):
            source = self.emit("Cast", [name], to=TensorProto.FLOAT)
        if np.any(zero):
            source = self.emit("Sub", [source, self.emit.const(zero)])
        return self.emit("Mul", [source, self.emit.const(scale)], output)

    def _parameters(self, node: Node, scale: str, zero: str, axis: int) -> tuple[Array, Array]:
        rank = len(self.graph.shape(node.inputs[0]) or ())
        factors = self._along(self._number(scale), axis, rank)
        zeros = self._along(self._number(zero), axis, rank)
        return factors, zeros

    def _quantizelinear(self, node: Node) -> None:
        axis = int(node.attributes.get("axis", 1))
        scale, zero = self._parameters(node, node.inputs[1], node.operand(2), axis)
        dtype = self.graph.dtype(node.output) or TensorProto.UINT8
        self._quantise(node.inputs[0], scale, zero, dtype, node.output)

    def _dequantizelinear(self, node: Node) -> None:
        axis = int(node.attributes.get("axis", 1))
        scale, zero = self._parameters(node, node.inputs[1], node.operand(2), axis)
        self._dequantise(node.inputs[0], scale, zero, node.output)

    def _dynamicquantizelinear(self, node: Node) -> None:
        """Its scale follows the data, so carrying the value itself, scale 1 and zero 0 is exact."""
        self.emit("Identity", [node.inputs[0]], node.outputs[0])
        self.real.add(node.outputs[0])
        if len(node.outputs) > 1 and node.outputs[1]:
            self.graph.constants[node.outputs[1]] = np.asarray(1.0, np.float32)
        if len(node.outputs) > 2 and node.outputs[2]:
            self.graph.constants[node.outputs[2]] = np.asarray(0, np.uint8)

    def _operand(self, node: Node, place: int, zero: str, axis: int) -> str:
        rank = len(self.graph.shape(node.inputs[place]) or ())
        zeros = self._along(self._number(zero), axis, rank)
        return self._dequantise(node.inputs[place], np.ones(()), zeros)

    def _matmulinteger(self, node: Node) -> None:
        left = self._operand(node, 0, node.operand(2), -2)
        right = self._operand(node, 1, node.operand(3), -1)
        self.emit("MatMul", [left, right], node.output)
        self.real.add(node.output)

    def _convinteger(self, node: Node) -> None:
        left = self._operand(node, 0, node.operand(2), 0)
        right = self._operand(node, 1, node.operand(3), 0)
        self.emit("Conv", [left, right], node.output, **node.attributes)
        self.real.add(node.output)

    def _qlinearmatmul(self, node: Node) -> None:
        operands = node.inputs
        left_rank = len(self.graph.shape(operands[0]) or ())
        right_rank = len(self.graph.shape(operands[3]) or ())
        left = self._dequantise(
            operands[0],
            self._along(self._number(operands[1]), -2, left_rank),
            self._along(self._number(operands[2]), -2, left_rank),
        )
        right = self._dequantise(
            operands[3],
            self._along(self._number(operands[4]), -1, right_rank),
            self._along(self._number(operands[5]), -1, right_rank),
        )
        product = self.emit("MatMul", [left, right])
        scale, zero = self._number(operands[6]), self._number(operands[7])
        dtype = self.graph.dtype(node.output) or TensorProto.UINT8
        self._quantise(product, scale, zero, dtype, node.output)

    def _qlinearconv(self, node: Node) -> None:
        operands = node.inputs
        rank = len(self.graph.shape(operands[0]) or ())
        step, weight_step = self._number(operands[1]), self._number(operands[4])
        left = self._dequantise(operands[0], step, self._number(operands[2]))
        right = self._dequantise(
            operands[3],
            self._along(weight_step, 0, rank),
            self._along(self._number(operands[5]), 0, rank),
        )
        inputs = [left, right]
        if node.operand(8):
            inputs.append(self.emit.const(self._number(node.operand(8)) * step * weight_step))
        product = self.emit("Conv", inputs, **node.attributes)
        scale, zero = self._number(operands[6]), self._number(operands[7])
        dtype = self.graph.dtype(node.output) or TensorProto.UINT8
        self._quantise(product, scale, zero, dtype, node.output)


def _apply(graph: Graph, _context: RewriteContext) -> bool:
    return _Reals(graph).run()


QUANTISED = Pass(
    "quantised-floats",
    "conformance",
    0.05,
    "quantised operators as float arithmetic, without the roundings to 8 bits",
    _apply,
)
