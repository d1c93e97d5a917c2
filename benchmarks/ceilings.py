"""What the machine itself can do: the speed of a matrix product, and of a copy."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.contender import Contender
from benchmarks.trial import Trial

SGEMM_SIZE = 512
L2_CACHE = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")


def sgemm(n: int = SGEMM_SIZE) -> Trial:
    """A product of two n × n float32 matrices in SciPy's BLAS; a unit is a floating-point operation."""
    multiply = import_module("scipy.linalg.blas").sgemm
    rng = np.random.default_rng(0)
    a, b, c = (np.asfortranarray(rng.standard_normal((n, n)), np.float32) for _ in range(3))
    return Trial(lambda: multiply(1.0, a, b, 0.0, c, overwrite_c=1), units=2 * n**3)


def copy(size: int) -> Trial:
    """A loop from one array into another, each thread its part; a unit is a byte read or written.

    It flips the sign of every number: a vectorised loop, as a kernel is one. The C library's own copy takes
    other instructions, which on some processors are thirty times slower for certain addresses.

    Args:
        size: bytes of both arrays together: the memory that is worked on.
    """
    source, target = aligned(size // 8), aligned(size // 8)
    return _looped(target, source, size)


def in_place(size: int) -> Trial:
    """The same loop from an array into itself: every line of memory that is written has been read."""
    array = aligned(size // 4)
    return _looped(array, array, size)


def _looped(target: NDArray[np.float32], source: NDArray[np.float32], size: int) -> Trial:
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    parts = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))
    # Small arrays are passed over many times before a thread reports: that takes long beside such a pass.
    times = max(1, (1 << 22) // size)

    def work(part: int) -> None:
        into, of = parts[part]
        for _ in range(times):
            np.negative(of, out=into)

    units = times * (source.nbytes + target.nbytes)
    if threads == 1:
        return Trial(lambda: work(0), units)
    pool = ThreadPoolExecutor(threads)
    return Trial(lambda: list(pool.map(work, range(threads))), units)


def aligned(n: int, boundary: int = 64) -> NDArray[np.float32]:
    """So many ones that begin at a multiple of `boundary` bytes."""
    room = np.ones(n + boundary // 4, np.float32)
    first = -room.ctypes.data % boundary // 4
    return room[first : first + n]


def l2_bytes() -> int:
    """The size of a core's second-level cache, or 512 KiB where the system does not tell."""
    try:
        text = L2_CACHE.read_text().strip()
    except OSError:
        return 1 << 19
    return int(text[:-1]) << {"K": 10, "M": 20}[text[-1]] if text[-1] in "KM" else int(text)


SGEMM = Contender("sgemm", "benchmarks.ceilings:sgemm")


COPY = Contender("copy", "benchmarks.ceilings:copy")
IN_PLACE = Contender("in place", "benchmarks.ceilings:in_place")
