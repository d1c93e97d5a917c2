"""The same values from fewer operations.

Constants are folded, equal operations become one, operations that do nothing go, and what no output needs is
dropped. Every identity keeps the bits of every value, NaN and infinities included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from spusk.compile.flow import Flow, Op, signature
from spusk.errors import InputError
from spusk.graph.leaves import Constant, Input
from spusk.graph.shaping import Transpose

FOLDED = 4096  # the most elements of a constant that is computed at compile time


def simplify(flow: Flow) -> Flow:
    """The same program with fewer operations, in one walk from inputs to outputs."""
    walk = _Walk()
    new: list[int] = []
    for op in flow.ops:
        new.append(
            walk.place(Op(op.primitive, tuple([new[x] for x in op.inputs]), op.shape, op.dtype, op.origin))
        )
    inputs = {name: new[number] for name, number in flow.inputs.items()}
    outputs = {name: new[number] for name, number in flow.outputs.items()}
    return _without_dead(Flow(tuple(walk.ops), inputs, outputs, flow.carry, flow.lent))


class _Walk:
    """The operations placed so far, and where each computation can be found."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.known: dict[Any, int] = {}

    def place(self, op: Op) -> int:
        """The number of an operation with this op's value: an earlier one, or this one put at the end."""
        if isinstance(op.primitive, Input):
            self.ops.append(op)
            return len(self.ops) - 1
        same = self._same_as_input(op)
        if same is not None:
            return same
        op = self._folded(self._merged(op))
        key = (*signature(op.primitive), op.inputs, op.dtype)
        if key not in self.known:
            self.known[key] = len(self.ops)
            self.ops.append(op)
        return self.known[key]

    def _same_as_input(self, op: Op) -> int | None:
        rule = SAME.get(op.name)
        position = rule(op, [self.ops[x] for x in op.inputs]) if rule else None
        if position is None:
            return None
        if position < 0:  # the value of an input's input
            return self.ops[op.inputs[0]].inputs[0]
        return op.inputs[position]

    def _merged(self, op: Op) -> Op:
        """A change of shape after a change of shape of the same kind is one change."""
        if not op.inputs:
            return op
        inner = self.ops[op.inputs[0]]
        if op.name == inner.name == "reshape":
            return Op(op.primitive, inner.inputs, op.shape, op.dtype, op.origin)
        if isinstance(op.primitive, Transpose) and isinstance(inner.primitive, Transpose):
            axes = tuple(inner.primitive.axes[a] for a in op.primitive.axes)
            return Op(Transpose(axes), inner.inputs, op.shape, op.dtype, op.origin)
        return op

    def _folded(self, op: Op) -> Op:
        constants = [p for p in (self.ops[x].primitive for x in op.inputs) if isinstance(p, Constant)]
        foldable = op.inputs and op.name != "broadcast" and op.size <= FOLDED
        if not foldable or len(constants) < len(op.inputs):
            return op
        values = [c.value for c in constants]
        if op.name in ("sum", "dot") and op.dtype == np.float32:  # NumPy's chains lose digits; see `widen`
            values = [value.astype(np.float64) for value in values]
        try:
            with np.errstate(all="ignore"):
                value = op.primitive.evaluate(np, *values)
        except InputError:  # it is told when the program runs
            return op
        array = np.ascontiguousarray(np.asarray(value, op.dtype)).reshape(op.shape)
        return Op(Constant(array), (), op.shape, op.dtype, op.origin)


def _is_one(op: Op) -> bool:
    return isinstance(op.primitive, Constant) and op.shape == () and op.primitive.value == 1


def _same_shape(op: Op, inputs: list[Op]) -> int | None:
    return 0 if op.shape == inputs[0].shape else None


def _same_dtype(op: Op, inputs: list[Op]) -> int | None:
    return 0 if op.dtype == inputs[0].dtype else None


def _first(op: Op, inputs: list[Op]) -> int | None:
    return 0


def _times_one(op: Op, inputs: list[Op]) -> int | None:
    for position in (0, 1):
        if _is_one(inputs[1 - position]) and inputs[position].shape == op.shape:
            return position
    return None


def _by_one(op: Op, inputs: list[Op]) -> int | None:
    return 0 if _is_one(inputs[1]) and inputs[0].shape == op.shape else None


def _either(op: Op, inputs: list[Op]) -> int | None:
    return 1 if op.inputs[1] == op.inputs[2] and inputs[1].shape == op.shape else None


def _undone(op: Op, inputs: list[Op]) -> int | None:
    return -1 if inputs[0].name == op.name else None


def _in_order(op: Op, inputs: list[Op]) -> int | None:
    axes = op.primitive.axes if isinstance(op.primitive, Transpose) else ()
    return 0 if axes == tuple(range(len(axes))) else None


# For each primitive, which input (or -1: the input's input) its value may be equal to.
SAME: dict[str, Callable[[Op, list[Op]], int | None]] = {
    "stop_gradient": _first,
    "reshape": _same_shape,
    "broadcast": _same_shape,
    "transpose": _in_order,
    "cast": _same_dtype,
    "mul": _times_one,
    "div": _by_one,
    "where": _either,
    "neg": _undone,
    "logical_not": _undone,
}


def _without_dead(flow: Flow) -> Flow:
    """Only what outputs need, and every input."""
    alive = set(flow.outputs.values()) | set(flow.inputs.values())
    for number in range(len(flow.ops) - 1, -1, -1):
        if number in alive:
            alive.update(flow.ops[number].inputs)
    kept = [n for n in range(len(flow.ops)) if n in alive]
    new = {old: i for i, old in enumerate(kept)}
    ops = [flow.ops[n] for n in kept]
    renumbered = tuple(
        Op(o.primitive, tuple([new[x] for x in o.inputs]), o.shape, o.dtype, o.origin) for o in ops
    )
    inputs = {name: new[n] for name, n in flow.inputs.items()}
    outputs = {name: new[n] for name, n in flow.outputs.items()}
    return Flow(renumbered, inputs, outputs, flow.carry, flow.lent)
