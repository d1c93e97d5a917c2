"""Threads inside one training: they do parts of each large kernel, and meet after it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from spusk.compile.cost import cost
from spusk.compile.lanes import in_lane, processors
from spusk.compile.stages import Stages
from spusk.errors import InputError

SPEED = 5e10  # operations a second that a core does in kernels; only its order of magnitude matters
MEETING = 5e-7  # seconds that threads lose at each kernel
WAKING = 5e-4  # seconds that waking the threads may take


def saved(stages: Stages) -> float:
    """Seconds a step that all processors save over one, less what meeting after every kernel costs."""
    calls, schedule = stages.modules.calls, stages.layout.schedule
    found = [cost(schedule, call.kernel) for call in calls if call.split]
    seconds = sum(max(c.operations, c.bytes) for c in found) / SPEED
    return seconds * (1 - 1 / processors()) - 2 * MEETING * len(calls)


def threads_for(wanted: int | None, saving: float) -> int:
    """How many threads should run a loop that saves so many seconds on all processors.

    By default all processors if that is more than it costs to wake them; one in a lane, where the others have
    trainings of their own.

    Raises:
        InputError: if fewer than one is wanted.
    """
    if wanted is None:
        return processors() if saving > WAKING and not in_lane() else 1
    if wanted < 1:
        raise InputError(f"threads is {wanted}; it must be 1 or more")
    return wanted


@cache
def _workers(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="spusk-team")


# A forked child has none of its parent's threads: it must not wait for them.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_workers.cache_clear)


def together(run: Callable[[int], None], blocks: Sequence[int]) -> None:
    """Call `run` on every block at once, the first one in this thread; returns when all have returned."""
    if len(blocks) == 1:
        run(blocks[0])
        return
    pool = _workers(len(blocks) - 1)
    waiting: list[Future[None]] = [pool.submit(run, block) for block in blocks[1:]]
    try:
        run(blocks[0])
    finally:
        for future in waiting:
            future.result()
