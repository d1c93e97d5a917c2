"""Lanes: many trainings at once, each in its own thread, because native code lets the others run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

# Set in the threads of a pool: native loops look at it between two slices of work.
STOP: ContextVar[Event | None] = ContextVar("STOP", default=None)


END = object()  # of the tasks


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def stopped() -> bool:
    """Whether this thread belongs to a pool of lanes that is being ended."""
    stop = STOP.get()
    return stop is not None and stop.is_set()


def in_lane() -> bool:
    """Whether this thread is one of a pool of lanes."""
    return STOP.get() is not None


def lanes(run: Callable[[T], R], tasks: Sequence[T], count: int) -> Iterator[R]:
    """The outcomes of `run` on each task, in the order in which they end, `count` at a time.

    Each lane takes the next task from a common queue when it has ended one. When the caller stops asking
    (Ctrl-C, an error), native loops end within a slice of their time and the lanes stop.

    Args:
        run: what to do with a task; called from several threads.
        tasks: the work, in the order in which it is begun.
        count: how many lanes.

    >>> sorted(lanes(lambda n: n * n, [1, 2, 3], count=2))
    [1, 4, 9]
    """
    waiting, lock, stop = iter(tasks), Lock(), Event()
    ended: SimpleQueue[tuple[bool, R | BaseException]] = SimpleQueue()

    def lane() -> None:
        STOP.set(stop)
        try:
            while not stop.is_set():
                with lock:
                    task = next(waiting, END)
                if task is END:
                    return
                ended.put((True, run(task)))  # pyright: ignore[reportArgumentType]
        except BaseException as error:
            ended.put((False, error))

    threads = [Thread(target=lane, name=f"spusk-lane-{i}", daemon=True) for i in range(count)]
    for thread in threads:
        thread.start()
    try:
        for _ in tasks:
            done, outcome = ended.get()
            if not done:
                raise outcome  # pyright: ignore[reportGeneralTypeIssues]
            yield outcome  # pyright: ignore[reportReturnType]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
