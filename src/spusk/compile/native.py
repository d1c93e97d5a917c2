"""A program as native code: compiled once for its structure, run on any arrays of its shapes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from spusk.compile.busy import COMPILING
from spusk.compile.cache import object_code
from spusk.compile.explain import tell
from spusk.compile.flow import Flow, fingerprint, flow_of
from spusk.compile.load import Code
from spusk.compile.lower.module import COMPLAINT, GEMMS, OUTSIDE, STATUS, THREAD, THREADS
from spusk.compile.memory import Layout
from spusk.compile.products import blas_pointer
from spusk.compile.stages import lowered
from spusk.compile.team import saved, threads_for
from spusk.errors import InputError
from spusk.graph import Place, Tensor
from spusk.graph.walk import collector_paused

APART = 128  # bytes: processors fetch cache lines in pairs
RECENT = 32  # programs whose code is kept when nobody holds them any more


@dataclass(frozen=True)
class Array:
    """One of a program's arrays: what it is, and where it starts in the state."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    at: int = 0

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class State:
    """How a program keeps its carried inputs in one block of memory."""

    arrays: tuple[Array, ...]
    bytes: int

    def views(self, memory: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """The carried inputs in such a block."""
        return {a.name: np.ndarray(a.shape, a.dtype, memory, a.at) for a in self.arrays}


@dataclass(frozen=True)
class Outside:
    """An array that stays with the caller: a given input, a collected output, or a constant of the program.

    Attributes:
        word: of the argument block, where its address goes; the next one says how far it moves a step.
    """

    kind: Literal["given", "collected", "constant"]
    array: Array
    word: int


class NativeProgram:
    """Native code with the layout of its memory. Several threads may run it at once.

    Attributes:
        run: the function, of the address of an argument block.
        state: how the carried inputs are kept.
        outside: the arrays that stay with the caller.
        block: an argument block to copy, with everything that is the same in all runs.
        complaints: what errors say, by number; the lines that they name are those of each program.
        seconds: a step's time, as last measured; before the first one, a guess that is too long.
        arenas: blocks for intermediate values that are free, with their addresses.
    """

    def __init__(self, flow: Flow) -> None:
        with collector_paused():
            stages = lowered(flow)
        self.stages = stages
        tell(stages)
        kernels = [object_code(text) for text in stages.modules.kernels.values()]
        self._code = Code([*kernels, object_code(stages.modules.run, quick=True)])
        self.run = self._code.run
        self.uses_blas = any(call.gemm for call in stages.modules.calls)
        self.splits = any(call.split for call in stages.modules.calls)
        self.saved = saved(stages) if self.splits else 0.0
        self.arenas: deque[tuple[NDArray[np.uint8], int]] = deque()
        self.seconds = 1.0
        self._describe(stages.layout)
        for call in stages.modules.calls:
            if call.gemm:
                self.block[GEMMS[call.gemm]] = blas_pointer(call.gemm)

    def _describe(self, layout: Layout) -> None:
        """What a session needs to know of the arrays, so that it starts quickly."""
        flow = layout.schedule.flow

        def array(name: str, number: int, at: int = 0) -> Array:
            return Array(name, flow.ops[number].shape, flow.ops[number].dtype, at)

        self.carry = dict(flow.carry)
        self.complaints = layout.schedule.complaints
        self.arena_bytes = layout.arena_bytes
        carried = flow.kept
        self.state = State(
            tuple([array(name, n, layout.places[n].at) for name, n in carried.items()]), layout.state_bytes
        )
        collected = {n: name for name, n in flow.outputs.items() if name not in flow.carry}
        given = {n: name for name, n in flow.inputs.items()}
        self.outside: list[Outside] = []
        self.block = np.zeros(OUTSIDE + 2 * len(layout.outside), np.int64)
        self._constants: list[NDArray[Any]] = []
        for word, number in enumerate(layout.outside):
            at = OUTSIDE + 2 * word
            if number in collected:
                what = Outside("collected", array(collected[number], number), at)
                self.block[at + 1] = what.array.bytes
            elif number in given:
                what = Outside("given", array(given[number], number), at)
            else:
                primitive: Any = flow.ops[number].primitive
                self._constants.append(np.ascontiguousarray(primitive.value))
                what = Outside("constant", array("", number), at)
                self.block[at] = address(self._constants[-1])
            self.outside.append(what)

    def arena(self) -> tuple[NDArray[np.uint8], int]:
        """A block for intermediate values, with its address; bring it back to `arenas` for the next run."""
        try:
            return self.arenas.pop()
        except IndexError:
            block = room(self.arena_bytes)
            return block, address(block)

    def team(self, block: NDArray[np.int64], threads: int | None, saved: float) -> list[NDArray[np.int64]]:
        """The argument blocks of the threads that run together: this one, and copies if it gains to share.

        Args:
            block: with everything filled in.
            threads: how many; default: as many as gain.
            saved: the seconds that a second thread would take off.
        """
        count = threads_for(threads, saved) if self.splits else 1
        block[THREADS] = count
        blocks = [block, *(alone(block) for _ in range(count - 1))]
        for i, own in enumerate(blocks):
            own[THREAD] = i
        return blocks

    def hear(self, block: NDArray[np.int64], places: tuple[Place | None, ...]) -> None:
        """Raise what a run found fault with, if it did, naming the line among `places`."""
        status = int(block[STATUS])
        if status >= COMPLAINT:
            complaint = self.complaints[status - COMPLAINT]
            raise InputError(f"{complaint.sentence} ({places[complaint.origin]})")


def address(array: NDArray[Any]) -> int:
    """Where an array's first element lies; twice as fast as `array.ctypes.data`."""
    return array.__array_interface__["data"][0]


def room(size: int) -> NDArray[np.uint8]:
    """Memory whose start is aligned for vectors."""
    raw = np.zeros(size + APART, np.uint8)
    start = -address(raw) % APART
    return raw[start : start + size]


def alone(block: NDArray[np.int64]) -> NDArray[np.int64]:
    """A copy that shares no cache line with anything else, for threads that write theirs in every step."""
    copy = room(-(-block.nbytes // APART) * APART).view(np.int64)[: len(block)]
    copy[:] = block
    return copy


_programs: WeakValueDictionary[str, NativeProgram] = WeakValueDictionary()
_recent: deque[NativeProgram] = deque(maxlen=RECENT)


def native_program(
    outputs: Mapping[str, Tensor],
    inputs: Mapping[str, Tensor],
    carry: Mapping[str, str],
    *,
    lent: bool = False,
) -> tuple[NativeProgram, tuple[Place | None, ...]]:
    """The native code of a graph, which graphs of one structure share, and its own operations' lines.

    For `lent`, see `Flow`.
    """
    with collector_paused():
        flow = flow_of(outputs, inputs, carry, lent=lent)
    key = fingerprint(flow)
    with COMPILING:
        program = _programs.get(key)
        if program is None:
            program = _programs[key] = NativeProgram(flow)
        _recent.append(program)
    return program, flow.places
