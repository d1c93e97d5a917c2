"""BLAS with one thread: the work is split by this package, and the bits do not depend on how."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

SCIPYS = "scipy.linalg.cython_blas"

_lock = Lock()
_inside: list[Any] = []  # one entry a block that is being run; the first holds what to restore


@cache
def _libraries(with_scipys: bool) -> Any:
    """The BLAS libraries of this process: NumPy's, and SciPy's if that has been loaded."""
    from threadpoolctl import ThreadpoolController

    controller: Any = ThreadpoolController()
    return controller.select(user_api="blas")


@contextmanager
def one_blas_thread() -> Generator[None]:
    """BLAS's own threads off while at least one such block runs, in any thread; then as they were."""
    with _lock:
        _inside.append(None if _inside else _libraries(SCIPYS in sys.modules).limit(limits=1))
    try:
        yield
    finally:
        with _lock:
            limit = _inside[0]
            _inside.pop()
            if not _inside:
                limit.restore_original_limits()
