"""BLAS with one thread: the work is split by this package, where the bits do not depend on how."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

SCIPYS = "scipy.linalg.cython_blas"

_lock = Lock()
_inside: list[bool] = []  # one entry a block that is being run
_before: list[tuple[Any, int]] = []  # libraries, and how many threads they had before the first block


@cache
def _libraries(with_scipys: bool) -> Any:
    """The BLAS libraries of this process: NumPy's, and SciPy's if that has been loaded."""
    from threadpoolctl import ThreadpoolController

    controller: Any = ThreadpoolController()
    return controller.select(user_api="blas")


def _set(library: Any, threads: int) -> None:
    """Set a library's number of threads, whichever thread asks.

    From 3.8 on, threadpoolctl listens to one thread only, and ignores the others without a word. Here the
    calls are in order anyway.
    """
    clear = getattr(library, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)
    library.set_num_threads(threads)
    if clear is not None:
        clear(force=True)


@contextmanager
def one_blas_thread() -> Generator[None]:
    """BLAS's own threads off while at least one such block runs, in any thread; then as they were."""
    with _lock:
        libraries = [
            (each, each.get_num_threads()) for each in _libraries(SCIPYS in sys.modules).lib_controllers
        ]
        # OpenMP counts for each thread that calls it, everything else for the whole process.
        own = [
            (each, before) for each, before in libraries if getattr(each, "threading_layer", "") == "openmp"
        ]
        if not _inside:
            _before[:] = [pair for pair in libraries if pair not in own]
        _inside.append(True)
        for library, _ in own + (_before if len(_inside) == 1 else []):
            _set(library, 1)
    try:
        yield
    finally:
        with _lock:
            _inside.pop()
            for library, before in own + (_before if not _inside else []):
                _set(library, before)
