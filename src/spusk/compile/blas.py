"""BLAS with one thread: the work is split by this package, where the bits do not depend on how."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from threading import Lock, get_ident
from typing import Any

from spusk.compile.busy import COMPILING

SCIPYS = "scipy.linalg.cython_blas"

_lock = Lock()
_inside: dict[object, int] = {}  # the blocks that are being run, each with its thread
_before: list[tuple[Any, int]] = []  # libraries, and how many threads they had; empty outside of all blocks


@cache
def _libraries(with_scipys: bool) -> Any:
    """The BLAS libraries of this process: NumPy's, and SciPy's if that has been loaded."""
    with COMPILING:
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
    block = object()
    own: list[tuple[Any, int]] = []
    try:
        with _lock:
            libraries = [
                (each, each.get_num_threads()) for each in _libraries(SCIPYS in sys.modules).lib_controllers
            ]
            # OpenMP counts for each thread that calls it, everything else for the whole process.
            own += [pair for pair in libraries if getattr(pair[0], "threading_layer", "") == "openmp"]
            limited = {library.filepath for library, _ in _before}
            new = [pair for pair in libraries if pair not in own and pair[0].filepath not in limited]
            _before.extend(new)
            _inside[block] = get_ident()
            for library, _ in own + new:
                _set(library, 1)
        yield
    finally:
        with _lock:
            _inside.pop(block, None)
            for library, before in own:
                _set(library, before)
            _restore()


def _restore() -> None:
    """Give BLAS its threads back if no block is left."""
    if not _inside:
        for library, before in _before:
            _set(library, before)
        _before.clear()


def _forked() -> None:
    """In a forked child: the threads that ran the other blocks, or held the lock, are not there any more."""
    global _lock
    _lock = Lock()
    here = get_ident()
    for block in [block for block, thread in _inside.items() if thread != here]:
        del _inside[block]
    _restore()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
