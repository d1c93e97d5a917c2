"""A graph as the compiler sees it: numbered operations, inputs before their users."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spusk.graph import Place, Primitive, Tensor, topological
from spusk.graph.dtypes import DType
from spusk.graph.interpret import check_given
from spusk.graph.leaves import Constant, Input
from spusk.graph.primitive import Shape


@dataclass(frozen=True, slots=True)
class Op:
    """One operation: a primitive applied to earlier operations, given by number.

    `origin` is the number of the traced operation that it comes from. Which line of whose program that was
    is not kept here: programs of one structure share what is compiled.
    """

    primitive: Primitive
    inputs: tuple[int, ...]
    shape: Shape
    dtype: DType
    origin: int = -1

    @property
    def name(self) -> str:
        return self.primitive.name

    @property
    def size(self) -> int:
        size = 1
        for n in self.shape:
            size *= n
        return size


@dataclass(frozen=True)
class Flow:
    """The operations of a program in order, with its inputs, outputs and carry by name.

    `lent` says that the carried values, too, stay in the caller's arrays and are changed there.
    As traced, `places` holds the line that each operation comes from; no pass looks at it.
    """

    ops: tuple[Op, ...]
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    carry: Mapping[str, str]
    lent: bool = False
    places: tuple[Place | None, ...] = ()

    @property
    def kept(self) -> dict[str, int]:
        """The carried inputs whose places the program chooses."""
        targets = () if self.lent else dict.fromkeys(self.carry.values())
        return {name: self.inputs[name] for name in targets}

    def users(self) -> list[list[int]]:
        """For each operation, the operations that read it."""
        users: list[list[int]] = [[] for _ in self.ops]
        for number, op in enumerate(self.ops):
            for x in dict.fromkeys(op.inputs):
                users[x].append(number)
        return users


def flow_of(
    outputs: Mapping[str, Tensor],
    inputs: Mapping[str, Tensor],
    carry: Mapping[str, str],
    *,
    lent: bool = False,
) -> Flow:
    """The Tensors that the outputs need, numbered; a Tensor given as input is not looked behind.

    An input that is no leaf becomes one: its value is given, not computed. Inputs that nothing reads are
    kept, because they may be carried.
    """
    numbers: dict[int, int] = {}
    ops: list[Op] = []
    places: list[Place | None] = []
    for name, t in inputs.items():
        if t.serial not in numbers:
            numbers[t.serial] = len(ops)
            ops.append(Op(Input(name), (), t.shape, t.dtype, len(ops)))
            places.append(t.place)
    needed = _needed(outputs.values(), set(numbers))
    check_given(t for t in needed if t.serial not in numbers)
    for t in needed:
        if t.serial not in numbers:
            numbers[t.serial] = len(ops)
            given = tuple([numbers[x.serial] for x in t.inputs])
            ops.append(Op(t.primitive, given, t.shape, t.dtype, len(ops)))
            places.append(t.place)
    return Flow(
        tuple(ops),
        {name: numbers[t.serial] for name, t in inputs.items()},
        {name: numbers[t.serial] for name, t in outputs.items()},
        dict(carry),
        lent,
        tuple(places),
    )


def _needed(outputs: Iterable[Tensor], given: set[int]) -> list[Tensor]:
    order = topological(outputs)
    reached = {t.serial for t in outputs}
    for t in reversed(order):
        if t.serial in reached and t.serial not in given:
            reached.update(x.serial for x in t.inputs)
    return [t for t in order if t.serial in reached]


def signature(primitive: Primitive) -> tuple[Any, ...]:
    """What a primitive computes, as a hashable value: equal where equal inputs give equal results."""
    if isinstance(primitive, Constant):
        value = primitive.value
        return ("constant", value.dtype.str, value.shape, value.tobytes())
    return (primitive.name, *vars(primitive).items())


def fingerprint(flow: Flow, *more: str) -> str:
    """A hash of everything that the compiled code depends on: structure, shapes, dtypes, constants, names."""
    digest = hashlib.blake2b(digest_size=20)
    for op in flow.ops:
        parts = signature(op.primitive) if not isinstance(op.primitive, Input) else ("input",)
        digest.update(repr((op.inputs, op.shape, op.dtype.str)).encode())
        for part in parts:
            digest.update(part if isinstance(part, bytes) else repr(part).encode())
    names = (
        tuple(flow.inputs.items()),
        tuple(flow.outputs.items()),
        tuple(flow.carry.items()),
        flow.lent,
        more,
    )
    digest.update(repr(names).encode())
    return digest.hexdigest()
