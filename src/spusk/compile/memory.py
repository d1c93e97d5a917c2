"""Where every buffer lies.

Carried values live in one *state* block, intermediate values in one *arena*, where buffers that are never
needed at the same time share the same bytes. Inputs that are not carried, collected outputs and constants
stay where the caller has them.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from spusk.compile.kernels import Schedule, reads, writes
from spusk.compile.merge import Merged

ALIGNMENT = 64  # bytes: a cache line, and the widest vectors

Room = Literal["state", "arena", "outside"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a buffer starts: bytes into the state or the arena, or a place in the list of outside arrays."""

    room: Room
    at: int


@dataclass(frozen=True)
class Layout:
    """A schedule with a place for every buffer.

    Attributes:
        places: by buffer number.
        state_bytes, arena_bytes: the sizes of the two blocks.
        outside: the buffers that the caller provides, in order of their position.
        lives: for each buffer in the arena, the first and the last kernel that uses it.
    """

    schedule: Schedule
    places: Mapping[int, Place]
    state_bytes: int
    arena_bytes: int
    outside: tuple[int, ...]
    lives: Mapping[int, tuple[int, int]]


def plan(merged: Merged) -> Layout:
    """Places for all buffers of a schedule."""
    planner = _Planner(merged)
    planner.outside()
    planner.state()
    planner.arena()
    return planner.layout()


class _Planner:
    def __init__(self, merged: Merged) -> None:
        self.schedule, self.runs = merged.schedule, merged.runs
        self.run_of = {b: run for run in merged.runs for b in run}
        self.places: dict[int, Place] = {}
        self.state_bytes = self.arena_bytes = 0
        self.caller: list[int] = []
        self.lives: dict[int, tuple[int, int]] = {}

    def size(self, buffer: int) -> int:
        op = self.schedule.op(buffer)
        return op.size * op.dtype.itemsize

    def outside(self) -> None:
        flow = self.schedule.flow
        carried = set(flow.kept.values())
        collected = [n for name, n in flow.outputs.items() if name not in flow.carry]
        read = {view.buffer for kernel in self.schedule.kernels for view in reads(kernel)}
        constants = [n for n, op in enumerate(flow.ops) if op.name == "constant" and n in read]
        given = [n for n in flow.inputs.values() if n not in carried]
        for buffer in dict.fromkeys([*given, *collected, *constants]):
            self.places[buffer] = Place("outside", len(self.caller))
            self.caller.append(buffer)

    def state(self) -> None:
        flow = self.schedule.flow
        for buffer in dict.fromkeys(flow.kept.values()):
            if buffer not in self.places:
                self.state_bytes = self._put("state", buffer, self.state_bytes)
        for source, home in self.schedule.homes.items():
            self.places[source] = self.places[home]

    def _put(self, room: Room, buffer: int, start: int) -> int:
        """Place a buffer, and those that must follow it without gaps; returns where the next may start."""
        for b in self.run_of.get(buffer, (buffer,)):
            self.places[b] = Place(room, start)
            start += self.size(b)
        return _aligned(start)

    def arena(self) -> None:
        """First fit: a block starts to live in the first kernel that uses it, and ends with the last."""
        self._find_lives()
        blocks: dict[int, list[int]] = {}  # the first buffer of a block stands for it
        for buffer in self.lives:
            blocks.setdefault(self.run_of.get(buffer, (buffer,))[0], []).append(buffer)
        starting: dict[int, list[int]] = {}
        ending: dict[int, list[int]] = {}
        for head, members in blocks.items():
            starting.setdefault(min(self.lives[b][0] for b in members), []).append(head)
            ending.setdefault(max(self.lives[b][1] for b in members), []).append(head)
        free = _FreeList()
        for position in range(len(self.schedule.kernels) + 1):
            for head in starting.get(position, ()):
                start = free.take(self._block_bytes(head))
                self._put("arena", head, start)
            for head in ending.get(position, ()):
                free.give(self.places[head].at, self._block_bytes(head))
        self.arena_bytes = free.end

    def _block_bytes(self, head: int) -> int:
        return max(_aligned(sum(self.size(b) for b in self.run_of.get(head, (head,)))), ALIGNMENT)

    def _find_lives(self) -> None:
        end = len(self.schedule.kernels)
        for position, kernel in enumerate(self.schedule.kernels):
            for view in (*writes(kernel), *reads(kernel)):
                self._use(view.buffer, position)
        for source, _ in self.schedule.commits:
            self._use(source, end)

    def _use(self, buffer: int, position: int) -> None:
        if buffer in self.places or self.schedule.op(buffer).name == "iota":
            return
        first, _ = self.lives.get(buffer, (position, position))
        self.lives[buffer] = (first, position)

    def layout(self) -> Layout:
        return Layout(
            self.schedule,
            self.places,
            max(self.state_bytes, ALIGNMENT),
            max(self.arena_bytes, ALIGNMENT),
            tuple(self.caller),
            self.lives,
        )


def _aligned(n: int) -> int:
    return -(-n // ALIGNMENT) * ALIGNMENT


class _FreeList:
    """Free stretches of the arena, by start; `end` is how far it has grown."""

    def __init__(self) -> None:
        self.end = 0
        self._free: list[tuple[int, int]] = []

    def take(self, n: int) -> int:
        for i, (start, length) in enumerate(self._free):
            if length >= n:
                if length == n:
                    del self._free[i]
                else:
                    self._free[i] = (start + n, length - n)
                return start
        start = self.end
        self.end += n
        return start

    def give(self, start: int, n: int) -> None:
        insort(self._free, (start, n))
        i = self._free.index((start, n))
        for at in (i, i - 1):  # join with the neighbour after, then with the one before
            if 0 <= at < len(self._free) - 1:
                (a, m), (b, k) = self._free[at], self._free[at + 1]
                if a + m == b:
                    self._free[at : at + 2] = [(a, m + k)]
