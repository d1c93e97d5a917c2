"""Threads inside one training: they do parts of each large kernel, and meet after it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from weakref import finalize

from spusk.compile.cost import cost
from spusk.compile.lanes import in_lane, processors
from spusk.compile.stages import Stages

SPEED = 5e10  # operations a second that a core does in kernels; only its order of magnitude matters
MEETING = 5e-7  # seconds that threads lose at each kernel
WAKING = 5e-4  # seconds that waking the threads may take

Tasks = SimpleQueue[Callable[[], None] | None]


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
    """
    if wanted is None:
        return processors() if saving > WAKING and not in_lane() else 1
    return wanted


class _Worker:
    """A thread that does one task after another, until nobody holds this any more."""

    def __init__(self) -> None:
        self.tasks: Tasks = SimpleQueue()
        finalize(self, self.tasks.put, None)
        Thread(target=_work, args=(self.tasks,), name="spusk-team", daemon=True).start()


def _work(tasks: Tasks) -> None:
    while (task := tasks.get()) is not None:
        task()
        del task  # it holds the arrays of a training


# A team takes its workers from here, and makes those that are missing: it never waits for another team's.
_idle: deque[_Worker] = deque()

# A forked child has none of its parent's threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)


def _worker() -> _Worker:
    try:
        return _idle.pop()
    except IndexError:
        return _Worker()


class _Team:
    """One call of `together`: a worker for each block, of which the first one leads.

    The caller is no member. In the main thread, Ctrl-C may be heard between any two instructions of Python's;
    a member that leaves there would let all others wait for ever.
    """

    def __init__(self, run: Callable[[int], None], blocks: Sequence[int], holding: object) -> None:
        self.run, self.blocks, self.holding = run, blocks, holding
        self.decided = Lock()  # taken by the leader to begin, or by the caller to call it off
        self.ended, self.bell = False, Lock()
        self.bell.acquire()  # until all have ended
        self.error: BaseException | None = None

    def lead(self, leader: _Worker) -> None:
        """In a worker: have all blocks run, unless that has been called off."""
        workers = [leader]
        if self.decided.acquire(blocking=False):
            try:
                workers += [_worker() for _ in self.blocks[1:]]
                self._run_all(workers)
            except BaseException as error:  # the system gives no more threads
                self.error = error
        _idle.extend(workers)
        self.ended = True
        self.bell.release()

    def _run_all(self, workers: list[_Worker]) -> None:
        home: SimpleQueue[None] = SimpleQueue()
        for worker, block in zip(workers[1:], self.blocks[1:], strict=True):
            worker.tasks.put(partial(self._member, block, home))
        self._member(self.blocks[0], home)
        for _ in workers:
            home.get()

    def _member(self, block: int, home: SimpleQueue[None]) -> None:
        try:
            self.run(block)
        except BaseException as error:
            self.error = error
        home.put(None)

    def wait(self) -> None:
        """Return when all have ended; what interrupts that is raised then."""
        interruption = None
        while not self.ended:
            try:
                self.bell.acquire()
            except BaseException as error:
                interruption = error
        if interruption is not None:
            raise interruption

    def end(self) -> None:
        """Call it off if it has not begun, else wait."""
        if not self.decided.acquire(blocking=False):
            self.wait()


def together(run: Callable[[int], None], blocks: Sequence[int], holding: object = None) -> None:
    """Call `run` on every block at once; returns when all have returned, also if it is interrupted.

    `holding` lives until then: what the blocks have addresses of.
    """
    if len(blocks) == 1:
        run(blocks[0])
        return
    team, leader = _Team(run, blocks, holding), _worker()
    try:
        leader.tasks.put(partial(team.lead, leader))
        team.wait()
    except BaseException:
        team.end()
        raise
    if team.error is not None:
        raise team.error
