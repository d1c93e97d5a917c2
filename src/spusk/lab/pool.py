"""Independent trainings on every processor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, TypeVar

from spusk.compile.lanes import lanes, processors

T = TypeVar("T")
R = TypeVar("R")


def outcomes(
    run: Callable[[T], R], tasks: Sequence[T], jobs: int | None = None, *, threads: bool = False
) -> Iterator[R]:
    """The outcomes of `run` on each task, in the order in which they end.

    Args:
        run: any callable, also a lambda or one defined in a notebook: it is carried to the workers by value.
        tasks: what to run it on.
        jobs: how many at a time; default: one for each processor. With one, everything stays here.
        threads: run in threads of this process, for work that is native code; else in processes.
    """
    count = min(processors() if jobs is None else jobs, len(tasks))
    if count <= 1:
        yield from (run(task) for task in tasks)
        return
    if threads:
        yield from lanes(run, tasks, count)
        return
    joblib: Any = import_module("joblib")
    parallel = joblib.Parallel(
        n_jobs=count, backend="loky", return_as="generator_unordered", pre_dispatch="2*n_jobs"
    )
    yield from parallel(joblib.delayed(run)(task) for task in tasks)
