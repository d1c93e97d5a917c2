"""Long sums of float32 are added in float64.

A running float32 sum stops growing once its terms are smaller than half its last digit: the mean of thirty
million squares comes out wrong in the fourth digit. NumPy adds contiguous numbers in pairs for this reason;
a wider sum is as good for every axis, and costs nothing where memory is what limits.
"""

from __future__ import annotations

import math

import numpy as np

from spusk.compile.flow import Flow, Op
from spusk.graph.elementwise import Cast
from spusk.graph.shaping import Sum

LONG = 1024  # terms; fewer lose four digits of 24 bits at the very worst, and half of one as a rule

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


def widen(flow: Flow) -> Flow:
    """The same program, in which sums of more than `LONG` float32 numbers are float64 until they are done."""
    if not any(_is_long(flow, op) for op in flow.ops):
        return flow
    ops: list[Op] = []
    new: list[int] = []
    for op in flow.ops:
        inputs = tuple([new[x] for x in op.inputs])
        if _is_long(flow, op):
            shape = flow.ops[op.inputs[0]].shape
            ops.append(Op(Cast(FLOAT64), inputs, shape, FLOAT64, op.origin))
            ops.append(Op(op.primitive, (len(ops) - 1,), op.shape, FLOAT64, op.origin))
            ops.append(Op(Cast(FLOAT32), (len(ops) - 1,), op.shape, FLOAT32, op.origin))
        else:
            ops.append(Op(op.primitive, inputs, op.shape, op.dtype, op.origin))
        new.append(len(ops) - 1)
    inputs = {name: new[number] for name, number in flow.inputs.items()}
    outputs = {name: new[number] for name, number in flow.outputs.items()}
    return Flow(tuple(ops), inputs, outputs, flow.carry, flow.lent)


def _is_long(flow: Flow, op: Op) -> bool:
    if not isinstance(op.primitive, Sum) or op.dtype != FLOAT32:
        return False
    shape = flow.ops[op.inputs[0]].shape
    return math.prod(shape[a] for a in op.primitive.axes) > LONG
