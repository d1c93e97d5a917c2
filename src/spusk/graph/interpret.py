"""The interpreter: evaluates a graph under any array namespace of the array API standard.

With NumPy it is the reference that every other backend must agree with. It has no special knowledge of
any operation: each primitive evaluates itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.errors import InputError, ShapeError
from spusk.graph.feed import held
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
        slots = {t.serial: i for i, t in enumerate(inputs)}
        order = [t for t in _needed(outputs, inputs) if t.serial not in slots]
        self._constants = _place_constants(order, slots, len(inputs))
        self._values = [c.value for c in self._constants]
        computed = [t for t in order if not isinstance(t.primitive, Constant)]
        first = len(inputs) + len(self._constants)
        slots.update({t.serial: i for i, t in enumerate(computed, first)})
        self._outputs = [slots[t.serial] for t in outputs]
        self._primitives = [t.primitive for t in computed]
        self._places = [t.place for t in computed]
        self._sources = [tuple([slots[x.serial] for x in t.inputs]) for t in computed]
        self._dead = _last_uses(self._sources, self._outputs, first + len(computed))

    def __call__(self, *values: Any, xp: Any = np) -> list[Any]:
        """The outputs' values, for arrays of the namespace `xp` given in the order of `inputs`.

        Floating point follows IEEE 754 quietly: overflow gives infinity and 0/0 gives NaN, unannounced.

        Raises:
            InputError: if an index lies outside of its axis, or a whole number has a negative exponent.
        """
        if len(values) != len(self.inputs):
            raise InputError(f"the graph takes {len(self.inputs)} values and was given {len(values)}")
        constants = self._values if xp is np else [c.evaluate(xp) for c in self._constants]
        memory: list[Any] = [*values, *constants]
        with np.errstate(all="ignore"):
            for primitive, sources, dead in zip(self._primitives, self._sources, self._dead, strict=True):
                try:
                    memory.append(primitive.evaluate(xp, *[memory[s] for s in sources]))
                except InputError as error:
                    place = self._places[len(memory) - len(self.inputs) - len(constants)]
                    raise InputError(f"{error} ({place})") from None
                for s in dead:
                    memory[s] = None
        return [memory[s] for s in self._outputs]


def _needed(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> list[Tensor]:
    """The nodes to visit, not looking behind those that are given."""
    order = topological(outputs)
    if not any(t.inputs for t in inputs):
        return order
    given, reached = {t.serial for t in inputs}, {t.serial for t in outputs}
    for t in reversed(order):
        if t.serial in reached and t.serial not in given:
            reached.update(x.serial for x in t.inputs)
    return [t for t in order if t.serial in reached]


def _place_constants(order: Sequence[Tensor], slots: dict[int, int], first: int) -> list[Constant]:
    """Give the constants slots from `first` on, equal numbers one together."""
    constants: dict[int, int] = {}
    found: list[Constant] = []
    check_given(order)
    for t in order:
        if isinstance(t.primitive, Constant):
            slot = constants.setdefault(id(t.primitive), first + len(found))
            if slot == first + len(found):
                found.append(t.primitive)
            slots[t.serial] = slot
    return found


def check_given(order: Iterable[Tensor]) -> None:
    """Raise an InputError if there are inputs among the nodes to compute."""
    missing = {t.primitive.label for t in order if isinstance(t.primitive, Input)}
    if missing:
        named = ", ".join(repr(label) for label in sorted(missing))
        raise InputError(f"the graph needs values for its inputs {named}, and was given none")


def _last_uses(steps: Sequence[tuple[int, ...]], outputs: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """For each step's sources, those that no later step reads: their memory is given back at once."""
    needed_later = bytearray(size)
    for slot in outputs:
        needed_later[slot] = True
    dead: list[tuple[int, ...]] = []
    for sources in reversed(steps):
        dead.append(tuple([s for s in sources if not needed_later[s]]))
        for s in sources:
            needed_later[s] = True
    dead.reverse()
    return dead


def evaluate(outputs: Sequence[Tensor], feeds: Mapping[Tensor, Any] | None = None, xp: Any = np) -> list[Any]:
    """The values of Tensors, computed once.

    Args:
        outputs: the Tensors to compute.
        feeds: a value for each input that they depend on; shapes must agree, dtypes are
            converted without loss.
        xp: the array namespace that computes.

    Returns:
        Arrays of `xp`, in the order of `outputs`.

    Raises:
        InputError: if an input has no value, or one that its dtype cannot hold (see `feed.held`).
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


def as_fed(t: Tensor, value: Any, xp: Any = np, what: str | None = None) -> Any:
    """A value as an array of the input's dtype, its shape checked; `what` names the input in errors."""
    if xp is np:
        array: Any = held(what or _label(t), value, t.dtype)
    else:
        array = xp.asarray(plain(value), dtype=getattr(xp, t.dtype.name))
    if array.shape != t.shape and tuple(array.shape) != t.shape:
        raise ShapeError(f"{what or _label(t)} was given shape {tuple(array.shape)}; it needs {t.shape}")
    return array


def _label(t: Tensor) -> str:
    label = t.primitive.label if isinstance(t.primitive, Input) else t.primitive.name
    return f"input {label!r}"
