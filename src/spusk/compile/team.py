"""Threads inside one training: they do parts of each large kernel, and meet after it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from spusk.compile.cost import cost
from spusk.compile.lanes import in_lane
from spusk.compile.stages import Stages
from spusk.errors import InputError

SPEED = 5e10  # operations a second that a core does in kernels; only its order of magnitude matters
MEETING = 5e-7  # seconds that threads lose at each kernel


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_for(stages: Stages, wanted: int | None) -> int:
    """How many threads should run a program.

    By default all processors, if splitting its large kernels gains at least twice what meeting after every
    kernel costs; one in a lane, where the other processors have their own trainings.

    Raises:
        InputError: if fewer than one is wanted.
    """
    if wanted is not None and wanted < 1:
        raise InputError(f"threads is {wanted}; it must be 1 or more")
    calls = stages.modules.calls
    split = [call for call in calls if call.split]
    if not split or wanted == 1 or (wanted is None and in_lane()):
        return 1
    if wanted is not None:
        return wanted
    schedule, count = stages.layout.schedule, processors()
    found = [cost(schedule, call.kernel) for call in split]
    seconds = sum(max(c.operations, c.bytes) for c in found) / SPEED
    return count if seconds * (1 - 1 / count) > 2 * MEETING * len(calls) else 1


@cache
def _workers(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="spusk-team")


# A forked child has none of its parent's threads: it must not wait for them.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_workers.cache_clear)


def together(run: Callable[[int], None], blocks: Sequence[int]) -> None:
    """Call `run` on every block at once, the first one in this thread; returns when all have returned."""
    waiting: list[Future[None]] = []
    if len(blocks) > 1:
        pool = _workers(len(blocks) - 1)
        waiting = [pool.submit(run, block) for block in blocks[1:]]
    try:
        run(blocks[0])
    finally:
        for future in waiting:
            future.result()
