"""A program's loop in native code, run in slices of time so that Ctrl-C is heard."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.compile.blas import one_blas_thread
from spusk.compile.lanes import stopped
from spusk.compile.lower.module import (
    ARENA,
    BARRIER,
    DIVERGED,
    DONE,
    STATE,
    STATUS,
    STEPS,
    WATCH,
    WATCH_ADVANCE,
    WATCH_BYTES,
)
from spusk.compile.native import NativeProgram, address, alone, room
from spusk.compile.session import Arrays, Rows, Session, Status, Stretch, room_for
from spusk.compile.team import together
from spusk.graph import Place

MEETING_WORDS = 16  # two cache lines: one counts arrivals, the other rounds
SLICE = 0.05  # seconds of native code between two looks at Ctrl-C


class NativeSession(Session):
    """A session of native code. See `Program.begin` for the arguments.

    An argument block is made ready once; a stretch copies it and fills in the arrays that are its own.
    """

    def __init__(
        self,
        program: NativeProgram,
        places: tuple[Place | None, ...],
        given: dict[str, Any],
        rows: Rows,
        watch: str | None,
        threads: int | None,
        beside: Session | None,
    ) -> None:
        self._program, self._places, self._threads = program, places, threads
        shared = beside if isinstance(beside, NativeSession) else None
        if shared is not None and shared._program.state != program.state:
            shared = None
        super().__init__(rows, shared)
        if shared is not None:
            self._memory, self._values = shared._memory, shared._values
        else:
            self._memory = room(program.state.bytes)
            self._values = program.state.views(self._memory)
            for name, array in self.values.items():
                array[...] = given[name]
        self._ready = block = program.block.copy()
        block[STATE] = address(self._memory)
        self._meeting = np.zeros(MEETING_WORDS, np.int64)
        block[BARRIER] = address(self._meeting)
        self._block = alone(block)
        self._at = address(self._block)
        self._held: list[NDArray[Any]] = []  # what the block has addresses of
        self._collected: list[tuple[str, int, tuple[int, ...], np.dtype[Any]]] = []
        self._stepped: list[tuple[str, int]] = []
        for outside in program.outside:
            what = outside.array
            if outside.kind == "collected":
                self._collected.append((what.name, outside.word, what.shape, what.dtype))
            elif outside.kind == "given" and what.name in rows:
                self._stepped.append((what.name, outside.word))
                block[outside.word + 1] = what.bytes
            elif outside.kind == "given":
                self._held.append(np.ascontiguousarray(given[what.name]))
                block[outside.word] = address(self._held[-1])
        self._watched = self._watch(watch)

    def _watch(self, name: str | None) -> int | None:
        """Tell the block which number to watch; the place of its address if it is collected."""
        block = self._ready
        for collected, word, _, dtype in self._collected:
            if name == collected and dtype.kind != "f":
                return None  # whole numbers are always finite
            if name == collected:
                block[WATCH_BYTES] = block[WATCH_ADVANCE] = dtype.itemsize
                return word
        if name is not None:
            array = self.values[self._program.carry[name]]
            if array.dtype.kind != "f":
                return None
            block[WATCH], block[WATCH_BYTES] = address(array), array.dtype.itemsize
        return None

    def _run(self, steps: int, rows: Arrays) -> Stretch:
        program, block = self._program, self._block
        block[:] = self._ready
        for name, word in self._stepped:
            block[word] = address(rows[name])
        collected: dict[str, NDArray[Any]] = {}
        for name, word, shape, dtype in self._collected:
            collected[name] = array = room_for(f"output {name!r}", steps, shape, dtype)
            block[word] = address(array)
        if not steps:
            return Stretch(collected, 0, "finished")
        if self._watched is not None:
            block[WATCH] = block[self._watched]
        arena = program.arena()
        block[ARENA] = arena[1]
        with one_blas_thread() if program.uses_blas else nullcontext():
            interrupted = self._loop(block, steps, (self, arena, rows, collected))
        program.arenas.append(arena)
        program.hear(block, self._places)
        status, done = int(block[STATUS]), int(block[DONE])
        ended: Status = "diverged" if status == DIVERGED else "interrupted" if interrupted else "finished"
        if done < steps:
            collected = {name: array[:done] for name, array in collected.items()}
        return Stretch(collected, done, ended)

    def _loop(self, block: NDArray[np.int64], steps: int, holding: object) -> bool:
        """Run to the end or to Ctrl-C; returns whether it was that. The block has addresses in `holding`."""
        program = self._program
        blocks = program.team(block, self._threads, program.saved * steps)
        at = [self._at, *(address(own) for own in blocks[1:])]
        done = 0
        try:
            while done < steps and not block[STATUS]:
                if stopped():
                    return True
                now = max(1, min(int(SLICE / program.seconds), steps - done))
                for own in blocks:
                    own[STEPS] = now
                began = time.perf_counter()
                together(program.run, at, (blocks, holding))
                before, done = done, int(block[DONE])
                # A slice may end early; what it did not do tells nothing of how long a step takes.
                program.seconds = max((time.perf_counter() - began) / max(done - before, 1), 1e-9)
        except KeyboardInterrupt:
            if block[DONE] < steps:
                return True
            raise  # all is done already: it is for the caller to hear
        return False
