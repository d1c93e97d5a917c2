"""Values of a step computed together by PyTorch's operations, one by one or as one compiled function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from spusk.graph import Tensor, topological
from spusk.graph.elementwise import Cast, StopGradient
from spusk.graph.leaves import Input
from spusk.graph.shaping import Broadcast, Max, Reshape, Slice, Sum, Transpose
from spusk.interop.needs import library
from spusk.interop.split import Split
from spusk.interop.step import Value
from spusk.interop.torch.namespace import Namespace

torch: Any = library("torch", "torch", "spusk.interop.torch")

SHARING = (Broadcast, Cast, Max, Reshape, Slice, StopGradient, Sum, Transpose)
"""Primitives whose result torch may leave in the memory of what it is of."""

BLOCK = 2**16
"""Elements of a block; more of them leave the cache, fewer take more calls."""


class Part:
    """Values that are computed together.

    Args:
        values: those of one parameter, or all of a step's.
        scalars: the step's inputs that are numbers.
        device: where the tensors are.
        compile: whether torch.compile makes one function of it.
        flat: whether all arrays are flat and of one length, and the formula goes element by element.
    """

    def __init__(
        self,
        values: Sequence[Value],
        scalars: Sequence[Tensor],
        device: Any,
        *,
        compile: bool = False,
        flat: bool = False,
    ) -> None:
        numbers = host_slots(values, scalars)
        hosted = are_in(values, numbers)
        arrays = [v for v, is_number in zip(values, hosted, strict=True) if not is_number]
        written = [v for v in values if v.after is not None]
        self._numbers = [i for i, is_number in enumerate(hosted) if is_number]
        self._arrays = [i for i, is_number in enumerate(hosted) if not is_number]
        self._given = [i for i, v in enumerate(arrays) if v.kind != "point"]
        self.split = Split(
            [v.after for v in written if v.after is not None],
            [arrays[i].before for i in self._given],
            [*scalars, *(v.before for v in numbers)],
        )
        places = [i for i, v in enumerate(values) if v.after is not None]
        targets = list(zip(places, self.split.own, strict=True))
        self._number_targets = [i for i, own in targets if own]
        self._array_targets = [self._arrays.index(i) for i, own in targets if not own]
        written_arrays = {arrays[i].before.serial for i in self._array_targets}
        self._kept = [_kept(arrays[i], written_arrays) for i in self._array_targets]
        self._xp = Namespace(device)
        self._constants = [self._xp.asarray(c) for c in self.split.constant_values]
        kinds = [t.dtype.name for t in self.split.border]
        self._border = [
            (kind, [i for i, k in enumerate(kinds) if k == kind]) for kind in dict.fromkeys(kinds)
        ]
        self._device, self._compile = device, compile
        self._in_blocks = flat and not compile and torch.device(device).type == "cpu"
        self._function: Any = None

    def __call__(self, pieces: Sequence[Sequence[Any]], numbers: Sequence[float]) -> None:
        """Compute, and write in place.

        Args:
            pieces: the values, of the dtypes of the graph; if the arrays are flat, as many pieces of them as
                one likes, whose values that are numbers are the same.
            numbers: the scalars.
        """
        kept = [float(pieces[0][i]) for i in self._numbers]
        found, border = self.split.numbers([*numbers, *kept])
        for i, number in zip(self._number_targets, found, strict=True):
            for piece in pieces:
                piece[i].fill_(float(number))
        arrays = [piece[i] for piece in pieces for i in self._arrays]
        vectors = [self._vector(kind, [border[i] for i in places]) for kind, places in self._border]
        if self._function is None:
            self._function = self._compiled(arrays, vectors) if self._compile else self._run
        self._function(*arrays, *vectors)

    def _vector(self, kind: str, numbers: Sequence[Any]) -> Any:
        return torch.from_numpy(np.array(numbers, kind)).to(self._device)

    def _run(self, *given: Any) -> None:
        """From the arrays of all pieces and the vectors with the numbers."""
        count = len(given) - len(self._border)
        scalars: list[Any] = [None] * len(self.split.border)
        for (_, places), vector in zip(self._border, given[count:], strict=True):
            for i, scalar in zip(places, vector.unbind(), strict=True):
                scalars[i] = scalar
        for start in range(0, count, len(self._arrays)):
            self._run_piece(given[start : start + len(self._arrays)], scalars)

    def _run_piece(self, arrays: Sequence[Any], scalars: Sequence[Any]) -> None:
        for block in self._blocks(arrays):
            given = [block[i] for i in self._given]
            results = self.split.arrays(given, scalars, self._constants, self._xp)
            # What is an old value of another array must be held before that one is written.
            held = [torch.clone(r) if kept else r for r, kept in zip(results, self._kept, strict=True)]
            for i, result in zip(self._array_targets, held, strict=True):
                block[i].copy_(result)

    def _blocks(self, arrays: Sequence[Any]) -> Iterable[Sequence[Any]]:
        """The arrays piece by piece, where the operations' results then stay in the processor's cache."""
        if not self._in_blocks or not arrays or arrays[0].numel() <= BLOCK:
            return [arrays]
        return zip(*[a.split(BLOCK) for a in arrays], strict=True)

    def _compiled(self, arrays: Sequence[Any], vectors: Sequence[Any]) -> Any:
        """One function of all operations, compiled for these sizes; the numbers stay its arguments."""
        tracing = library("torch.fx.experimental.proxy_tensor", "torch", "spusk.interop.torch")

        def run(*given: Any) -> None:
            self._run(*given)

        # Straight-line code, without Python in between; tracing runs it once, hence on copies.
        straight = tracing.make_fx(run)(*[torch.clone(x) for x in (*arrays, *vectors)])
        return torch.compile(straight.forward, fullgraph=True, dynamic=False)  # a module takes longer to call


def host_slots(values: Sequence[Value], scalars: Sequence[Tensor]) -> list[Value]:
    """The slots that are numbers and become what depends on numbers alone, such as a product of momenta."""
    found = [v for v in values if v.kind == "slot" and v.before.weak and v.before.shape == ()]
    while True:
        known = {t.serial for t in scalars} | {v.before.serial for v in found}
        kept = [v for v in found if v.after is not None and _depends_on(v.after, known)]
        if len(kept) == len(found):
            return found
        found = kept


def _kept(value: Value, written: set[int]) -> bool:
    """Whether the value after the step may lie in memory that the step writes; not its own, unchanged."""
    if value.after is None or value.after.serial == value.before.serial:
        return False
    waiting = [value.after]
    while waiting:
        t = waiting.pop()
        if t.serial in written:
            return True
        waiting += t.inputs if isinstance(t.primitive, SHARING) else ()
    return False


def are_in(values: Sequence[Value], some: Sequence[Value]) -> list[bool]:
    """For each value, whether it is one of some."""
    serials = {v.before.serial for v in some}
    return [v.before.serial in serials for v in values]


def _depends_on(t: Tensor, known: set[int]) -> bool:
    return all(x.serial in known for x in topological([t]) if isinstance(x.primitive, Input))
