"""The interpreter: evaluates a graph under any array namespace of the array API standard.

With NumPy it is the reference that every other backend must agree with. It has no special knowledge of
any operation: each primitive evaluates itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.errors import InputError, ShapeError
from spusk.graph.leaves import Constant, Input, plain
from spusk.graph.tensor import Tensor
from spusk.graph.walk import collector_paused, topological


class Evaluator:
    """A graph prepared for evaluating many times: its nodes in order, and when each value is last used.

    Args:
        outputs: the Tensors to compute.
        inputs: the inputs that will be given, in the order of the arguments of a call. Any nodes may be
            inputs, not only leaves: a value given for a node replaces its computation.

    >>> from spusk.graph import input
    >>> x = input("x", (), "float64")
    >>> square = Evaluator([x * x], [x])
    >>> square(np.float64(3.0))[0], square(np.float64(4.0))[0]
    (np.float64(9.0), np.float64(16.0))
    """

    def __init__(self, outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> None:
        with collector_paused():
            self._prepare(outputs, inputs)

    def _prepare(self, outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> None:
        self.inputs = tuple(inputs)
        slots = {id(t): i for i, t in enumerate(inputs)}
        computed, self._constants, self._size = _placed(_needed(outputs, inputs), slots, len(inputs))
        self._outputs = [slots[id(t)] for t in outputs]
        needed_later = set(self._outputs)
        backwards: list[tuple[Any, tuple[int, ...], int, tuple[int, ...]]] = []
        for t in reversed(computed):
            sources = tuple([slots[id(x)] for x in t.inputs])
            dead = tuple([s for s in sources if s not in needed_later])
            needed_later.update(dead)
            backwards.append((t.primitive, sources, slots[id(t)], dead))
        self._steps = backwards[::-1]

    def __call__(self, *values: Any, xp: Any = np) -> list[Any]:
        """The outputs' values, for arrays of the namespace `xp` given in the order of `inputs`.

        Floating point follows IEEE 754 quietly: overflow gives infinity and 0/0 gives NaN, unannounced.
        """
        if len(values) != len(self.inputs):
            raise InputError(f"the graph takes {len(self.inputs)} values and was given {len(values)}")
        memory: list[Any] = [*values, *[None] * (self._size - len(values))]
        for slot, primitive in self._constants:
            memory[slot] = primitive.evaluate(xp)
        with np.errstate(all="ignore"):
            for primitive, sources, target, dead in self._steps:
                memory[target] = primitive.evaluate(xp, *[memory[s] for s in sources])
                for s in dead:
                    memory[s] = None
        return [memory[s] for s in self._outputs]


def _needed(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> list[Tensor]:
    """The nodes to visit, not looking behind those that are given."""
    order = topological(outputs)
    if not any(t.inputs for t in inputs):
        return order
    given, reached = {id(t) for t in inputs}, {id(t) for t in outputs}
    for t in reversed(order):
        if id(t) in reached and id(t) not in given:
            reached.update(id(x) for x in t.inputs)
    return [t for t in order if id(t) in reached]


def _placed(
    order: Sequence[Tensor], slots: dict[int, int], size: int
) -> tuple[list[Tensor], list[tuple[int, Constant]], int]:
    """Give each node a slot of memory, equal constants one together; the nodes to compute, the constants."""
    computed: list[Tensor] = []
    constants: dict[int, tuple[int, Constant]] = {}
    missing: set[str] = set()
    for t in order:
        primitive = t.primitive
        if id(t) in slots:
            continue
        if isinstance(primitive, Constant):
            slot = constants.setdefault(id(primitive), (size, primitive))[0]
        else:
            slot = size
            computed.append(t)
            if isinstance(primitive, Input):
                missing.add(primitive.label)
        slots[id(t)] = slot
        size += slot == size
    if missing:
        named = ", ".join(repr(label) for label in sorted(missing))
        raise InputError(f"the graph needs values for its inputs {named}, and was given none")
    return computed, list(constants.values()), size


def evaluate(outputs: Sequence[Tensor], feeds: Mapping[Tensor, Any] | None = None, xp: Any = np) -> list[Any]:
    """The values of Tensors, computed once.

    Args:
        outputs: the Tensors to compute.
        feeds: a value for each input that they depend on; shapes must agree, dtypes are converted.
        xp: the array namespace that computes.

    Returns:
        Arrays of `xp`, in the order of `outputs`.

    Raises:
        InputError: if an input has no value.
        ShapeError: if a value has another shape than its input.

    >>> from spusk.graph import input
    >>> x = input("x", (2,), "float64")
    >>> evaluate([x + 1, x * 10], {x: [1.0, 2.0]})
    [array([2., 3.]), array([10., 20.])]
    """
    feeds = feeds or {}
    values = [as_fed(t, value, xp) for t, value in feeds.items()]
    found = Evaluator(outputs, list(feeds))(*values, xp=xp)
    return [own(v, values) if xp is np else xp.asarray(v) for v in found]


def own(value: Any, given: Sequence[Any]) -> NDArray[Any]:
    """A result as an array that its receiver may write to: not a view, a constant or a given array."""
    array: NDArray[Any] = np.asarray(value)
    is_free = array.flags.owndata and array.flags.writeable and all(array is not g for g in given)
    return array if is_free else np.array(array)


def as_fed(t: Tensor, value: Any, xp: Any = np) -> Any:
    """A value as an array of the input's dtype, its shape checked."""
    array = xp.asarray(value if xp is np else plain(value), dtype=getattr(xp, t.dtype.name))
    if tuple(array.shape) != t.shape:
        label = t.primitive.label if isinstance(t.primitive, Input) else t.primitive.name
        raise ShapeError(f"input {label!r} was given shape {tuple(array.shape)}; it needs {t.shape}")
    return array
