"""A step in PyTorch's operations, on any device: one flat update for each elementwise formula."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

from spusk.compile.flow import signature
from spusk.graph import Tensor, topological
from spusk.graph.leaves import Input
from spusk.interop.needs import library
from spusk.interop.step import Step, Value
from spusk.interop.torch.part import Part, are_in, host_slots

torch: Any = library("torch", "torch", "spusk.interop.torch")


LARGE, AT_MOST = 2**16, 16
"""On the CPU, so many tensors of a formula that have so many elements are left where they are; the others are
joined, since each piece costs calls, or time to compile."""


class TensorStep:
    """A step in PyTorch's operations.

    Small parameters that one elementwise formula updates are treated as one long array.

    Args:
        step: what it computes.
        device: where the tensors are.
        compile: whether torch.compile fuses the operations. The memory of small parameters is then moved into
            flat buffers, which the tensors become views of, as that of their state always is.
    """

    def __init__(self, step: Step, device: Any, *, compile: bool = False) -> None:
        self._dtypes = [getattr(torch, value.before.dtype.name) for value in step.values]
        self._written = [value.after is not None for value in step.values]
        groups = flat_groups(step)
        self._flat = [_Flat(step, members, device, compile=compile) for members in groups or []]
        self._whole = Part(step.values, step.scalars, device, compile=compile) if groups is None else None

    def __call__(self, tensors: Sequence[Any], numbers: Sequence[float]) -> None:
        """Take the step, in place. Tensors of other dtypes than the graph's are copied in and out."""
        with torch.no_grad():
            self._take(tensors, numbers)

    def _take(self, tensors: Sequence[Any], numbers: Sequence[float]) -> None:
        pairs = [(t, t if t.dtype is d else t.to(d)) for t, d in zip(tensors, self._dtypes, strict=True)]
        ready = [copy for _, copy in pairs]
        for flat in self._flat:
            flat(ready, numbers)
        if self._whole is not None:
            self._whole([ready], numbers)
        for (tensor, copy), written in zip(pairs, self._written, strict=True):
            if written and copy is not tensor:
                tensor.copy_(copy)


class _Flat:
    """Parameters of one formula, as a few long arrays: pieces."""

    def __init__(self, step: Step, members: Sequence[Sequence[int]], device: Any, *, compile: bool) -> None:
        # For each piece and each value of a parameter, where all that are joined in it have that value.
        sizes = [step.values[member[0]].before.size for member in members]
        self._pieces = [
            list(zip(*[members[m] for m in piece], strict=True)) for piece in pieces(sizes, device)
        ]
        self._values = [step.values[i] for i in members[0]]
        self._is_number = are_in(self._values, host_slots(self._values, step.scalars))
        self._part = Part(self._values, step.scalars, device, compile=compile, flat=True)
        # State is the optimizer's own, and is moved for good; parameters only where torch.compile needs it.
        self._moves = [v.after is not None and (compile or v.kind == "slot") for v in self._values]

    def __call__(self, tensors: Sequence[Any], numbers: Sequence[float]) -> None:
        columns = [[[tensors[i] for i in column] for column in piece] for piece in self._pieces]
        flat = [[self._joined(k, column) for k, column in enumerate(piece)] for piece in columns]
        self._part(flat, numbers)
        for piece, joined in zip(columns, flat, strict=True):
            self._put_back(piece, joined)

    def _put_back(self, columns: Sequence[Sequence[Any]], flat: Sequence[Any]) -> None:
        """Where what was written is a copy, write it to the tensors."""
        for column, value, joined, is_number in zip(
            columns, self._values, flat, self._is_number, strict=True
        ):
            if value.after is None:
                continue
            if is_number:
                for t in column[1:]:
                    t.copy_(joined)
            elif not _is_run(column, joined):
                split = joined.split([t.numel() for t in column])
                for t, part in zip(column, split, strict=True):
                    t.copy_(part.view(t.shape))

    def _joined(self, k: int, column: Sequence[Any]) -> Any:
        """The tensors as one array: itself, where they lie one after another, else copied."""
        if self._is_number[k]:
            return column[0]
        if len(column) == 1 and column[0].is_contiguous():
            return column[0].view(-1)
        if not self._moves[k]:
            return torch.cat([t.reshape(-1) for t in column])
        sizes = [t.numel() for t in column]
        if not (_is_run(column, column[0]) and _share_memory(column)):
            joined = torch.cat([t.reshape(-1) for t in column])
            for t, part in zip(column, joined.split(sizes), strict=True):
                t.data = part.view(t.shape)  # the tensors hold the buffer from now on, and nothing else does
        return column[0].as_strided((sum(sizes),), (1,))


def pieces(sizes: Sequence[int], device: Any) -> list[list[int]]:
    """Which of the tensors of these sizes are joined: the largest are a piece each, the others one together.

    >>> pieces([100, 2 * LARGE, 10, LARGE], "cpu")
    [[1], [3], [0, 2]]
    """
    order = sorted(range(len(sizes)), key=lambda i: -sizes[i]) if torch.device(device).type == "cpu" else []
    alone = sorted(i for i in order[:AT_MOST] if sizes[i] >= LARGE)
    together = [i for i in range(len(sizes)) if i not in alone]
    return [[i] for i in alone] + ([together] if together else [])


def _is_run(column: Sequence[Any], joined: Any) -> bool:
    """Whether the tensors are the pieces of an array, in order."""
    at, size = joined.data_ptr(), joined.element_size()
    for t in column:
        if t.data_ptr() != at or not t.is_contiguous():
            return False
        at += t.numel() * size
    return True


def _share_memory(column: Sequence[Any]) -> bool:
    """Whether a run lies in one block, and not in several that happen to be neighbours."""
    return column[0].untyped_storage().data_ptr() == column[-1].untyped_storage().data_ptr()


def flat_groups(step: Step) -> list[list[list[int]]] | None:
    """Parameters that share an elementwise formula: for each, the places of its values; None if there is more
    to the step than such formulas."""
    if step.update.is_coupled:
        return None
    mine: dict[str, list[int]] = defaultdict(list)
    for i, value in enumerate(step.values):
        if value.owner is None:
            return None
        mine[value.owner].append(i)
    groups: dict[Hashable, list[list[int]]] = defaultdict(list)
    for name, places in mine.items():
        key = _formula([step.values[i] for i in places], step.update.weights[name].shape, step.scalars)
        if key is None:
            return None
        groups[key].append(places)
    return list(groups.values())


def _formula(values: Sequence[Value], shape: tuple[int, ...], scalars: Sequence[Tensor]) -> Hashable | None:
    """What is computed of a parameter's values, whatever its shape; None if not element by element."""
    numbers = {t.serial for t in scalars} | {v.before.serial for v in host_slots(values, scalars)}
    known: dict[int, int] = {t.serial: i for i, t in enumerate([*scalars, *(v.before for v in values)])}
    parts: list[Hashable] = [
        (v.kind, v.which if v.kind == "gradient" else 0, v.before.dtype.name) for v in values
    ]
    if any(v.before.shape != shape and v.before.serial not in numbers for v in values):
        return None
    for t in topological([v.after for v in values if v.after is not None]):
        if t.serial in known:
            continue
        if isinstance(t.primitive, Input):
            return None
        if t.shape == () and all(x.serial in numbers for x in t.inputs):
            numbers.add(t.serial)
        elif not (t.primitive.elementwise and t.shape == shape):
            return None
        known[t.serial] = len(known)
        parts.append((signature(t.primitive), t.dtype.name, tuple([known[x.serial] for x in t.inputs])))
    parts.append(tuple([None if v.after is None else known[v.after.serial] for v in values]))
    return tuple(parts)
