"""A program as native code: compiled once for its structure, run on any arrays of its shapes."""

from __future__ import annotations

import math
import os
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from spusk.compile.blas import one_blas_thread
from spusk.compile.cache import object_code
from spusk.compile.explain import explained
from spusk.compile.flow import Flow, fingerprint, flow_of
from spusk.compile.lanes import stopped
from spusk.compile.load import Code
from spusk.compile.lower.module import (
    ARENA,
    BARRIER,
    COMPLAINT,
    DGEMM,
    DIVERGED,
    DONE,
    OUTSIDE,
    SGEMM,
    STATE,
    STATUS,
    STEPS,
    THREAD,
    THREADS,
    WATCH,
    WATCH_ADVANCE,
    WATCH_BYTES,
)
from spusk.compile.memory import ALIGNMENT, Layout
from spusk.compile.products import blas_pointer
from spusk.compile.stages import lowered
from spusk.compile.team import saved, threads_for, together
from spusk.errors import InputError
from spusk.graph import Tensor

MEETING_WORDS = 16  # two cache lines: one counts arrivals, the other rounds
SLICE = 0.05  # seconds of native code between two looks at Ctrl-C

EMPTY: Mapping[str, NDArray[Any]] = {}
RECENT = 32  # programs whose code is kept when nobody holds them any more

Status = Literal["finished", "diverged", "interrupted"]


@dataclass(frozen=True)
class Ran:
    """What a native loop came to: carried inputs and collected outputs by name."""

    carried: dict[str, NDArray[Any]]
    collected: dict[str, NDArray[Any]]
    steps: int
    status: Status


@dataclass(frozen=True)
class _Array:
    """One of a program's arrays: what it is, and where it starts in the state or how far it moves a step."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    at: int = 0

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


class NativeProgram:
    """Native code with the layout of its memory. Several threads may run it at once."""

    def __init__(self, flow: Flow) -> None:
        stages = lowered(flow)
        self.stages = stages
        if os.environ.get("SPUSK_EXPLAIN") == "1":
            print(explained(stages), file=sys.stderr)
        texts = [*stages.modules.kernels.values(), stages.modules.run]
        self._code = Code(object_code(text) for text in texts)
        self._gemms = {call.gemm: blas_pointer(call.gemm) for call in stages.modules.calls if call.gemm}
        self._splits = any(call.split for call in stages.modules.calls)
        self._saved = saved(stages) if self._splits else 0.0
        self._arenas: deque[NDArray[np.uint8]] = deque()
        self._seconds = 1.0  # a step's time, as last measured; at first it is not known
        self._describe(stages.layout)

    def _describe(self, layout: Layout) -> None:
        """What `run` needs to know of the arrays, so that it starts quickly."""
        flow = layout.schedule.flow

        def array(name: str, number: int, at: int = 0) -> _Array:
            return _Array(name, flow.ops[number].shape, flow.ops[number].dtype, at)

        self._complaints = layout.schedule.complaints
        self._state_bytes, self._arena_bytes = layout.state_bytes, layout.arena_bytes
        self._carry = dict(flow.carry)
        numbers = {name: flow.inputs[name] for name in dict.fromkeys(flow.carry.values())}
        self._carried = [array(name, n, layout.places[n].at) for name, n in numbers.items()]
        kept = {name: n for name, n in flow.outputs.items() if name not in flow.carry}
        self._collected = [array(name, n) for name, n in kept.items()]
        given = {n: name for name, n in flow.inputs.items()}
        results = {n: name for name, n in kept.items()}
        self._outside: list[tuple[Literal["given", "collected", "constant"], _Array, Any]] = []
        for number in layout.outside:
            if number in results:
                self._outside.append(("collected", array(results[number], number), None))
            elif number in given:
                self._outside.append(("given", array(given[number], number), None))
            else:
                primitive: Any = flow.ops[number].primitive
                self._outside.append(("constant", array("", number), np.ascontiguousarray(primitive.value)))

    def run(
        self,
        values: Mapping[str, NDArray[Any]],
        steps: int,
        each: Mapping[str, NDArray[Any]] = EMPTY,
        watch: str | None = None,
        threads: int | None = None,
    ) -> Ran:
        """Step after step.

        Args:
            values: the inputs' first values, of their shapes and dtypes.
            steps: how many.
            each: for inputs that change from step to step, a row for each.
            watch: the scalar output at whose first non-finite value the loop ends.
            threads: how many share a step; None: as many as gain.
        """
        count = threads_for(threads, self._saved * steps)
        state = _room(self._state_bytes)
        carried = {a.name: np.ndarray(a.shape, a.dtype, state, a.at) for a in self._carried}
        for name, into in carried.items():
            into[...] = values[name]
        collected = {a.name: np.empty((steps, *a.shape), a.dtype) for a in self._collected}
        if not steps:
            return Ran(carried, collected, 0, "finished")
        arrays, moves = self._given(values, each, collected)
        block = np.zeros(OUTSIDE + 2 * len(arrays), np.int64)
        arena = self._arena()
        block[STATE], block[ARENA] = _address(state), _address(arena)
        block[SGEMM], block[DGEMM] = self._gemms.get("sgemm", 0), self._gemms.get("dgemm", 0)
        block[OUTSIDE::2] = [_address(a) for a in arrays]
        block[OUTSIDE + 1 :: 2] = moves
        if watch is not None:
            watched = collected[watch] if watch in collected else carried[self._carry[watch]]
            block[WATCH], block[WATCH_BYTES] = _address(watched), watched.dtype.itemsize
            block[WATCH_ADVANCE] = watched.dtype.itemsize if watch in collected else 0
        with one_blas_thread() if self._gemms else nullcontext():
            interrupted = self._loop(block, steps, count if self._splits else 1)
        self._arenas.append(arena)
        status, done = int(block[STATUS]), int(block[DONE])
        if status >= COMPLAINT:
            raise InputError(self._complaints[status - COMPLAINT])
        word: Status = "diverged" if status == DIVERGED else "interrupted" if interrupted else "finished"
        return Ran(carried, {name: a[:done] for name, a in collected.items()}, done, word)

    def _given(
        self,
        values: Mapping[str, NDArray[Any]],
        each: Mapping[str, NDArray[Any]],
        collected: Mapping[str, NDArray[Any]],
    ) -> tuple[list[NDArray[Any]], list[int]]:
        """The arrays that stay with the caller, and by how many bytes each moves from step to step."""
        arrays: list[NDArray[Any]] = []
        moves: list[int] = []
        for kind, what, constant in self._outside:
            if kind == "constant":
                arrays.append(constant)
                moves.append(0)
            elif kind == "collected":
                arrays.append(collected[what.name])
                moves.append(what.bytes)
            elif what.name in each:
                arrays.append(np.ascontiguousarray(each[what.name], what.dtype))
                moves.append(what.bytes)
            else:
                arrays.append(np.ascontiguousarray(values[what.name]))
                moves.append(0)
        return arrays, moves

    def _loop(self, block: NDArray[np.int64], steps: int, threads: int) -> bool:
        """Run in slices of time, so that Ctrl-C is heard; returns whether it was."""
        meeting = np.zeros(MEETING_WORDS, np.int64)
        block[THREADS], block[BARRIER] = threads, _address(meeting)
        blocks = [block, *(block.copy() for _ in range(threads - 1))]
        for i, each in enumerate(blocks):
            each[THREAD] = i
        at = [_address(b) for b in blocks]
        try:
            while block[DONE] < steps and not block[STATUS]:
                if stopped():
                    return True
                now = max(1, min(int(SLICE / self._seconds), steps - int(block[DONE])))
                for each in blocks:
                    each[STEPS] = now
                began = time.perf_counter()
                together(self._code.run, at)
                self._seconds = max((time.perf_counter() - began) / now, 1e-9)
        except KeyboardInterrupt:
            if block[DONE] < steps:
                return True
            raise  # all is done already: it is for the caller to hear
        return False

    def _arena(self) -> NDArray[np.uint8]:
        try:
            return self._arenas.pop()
        except IndexError:
            return _room(self._arena_bytes)


def _address(array: NDArray[Any]) -> int:
    """Where an array's first element lies; twice as fast as `array.ctypes.data`."""
    return array.__array_interface__["data"][0]


def _room(size: int) -> NDArray[np.uint8]:
    """Memory whose start is aligned for vectors."""
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -_address(raw) % ALIGNMENT
    return raw[start : start + size]


_known: WeakValueDictionary[str, NativeProgram] = WeakValueDictionary()
_recent: deque[NativeProgram] = deque(maxlen=RECENT)
_compiling = Lock()


def _new_lock() -> None:
    """In a forked child: whoever was compiling is not there any more."""
    global _compiling
    _compiling = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)


def native_program(
    outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor], carry: Mapping[str, str]
) -> NativeProgram:
    """The native code of a graph; graphs of one structure share it."""
    flow = flow_of(outputs, inputs, carry)
    key = fingerprint(flow)
    with _compiling:
        program = _known.get(key)
        if program is None:
            program = _known[key] = NativeProgram(flow)
        _recent.append(program)
    return program
