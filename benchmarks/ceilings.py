"""What the machine itself can do: the speed of a matrix product, and of a copy."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import numpy as np

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
    """NumPy's copy between two arrays, each thread its part; a unit is a byte read or written.

    Args:
        size: bytes of both arrays together: the memory that is worked on.
    """
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    source, target = (np.ones(size // 8, np.float32) for _ in range(2))
    parts = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))
    # One call copies small arrays many times: a call through Python takes as long as copying some kilobytes.
    times = max(1, (1 << 22) // size)

    def copy_part(part: int) -> None:
        for _ in range(times):
            np.copyto(*parts[part])

    units = times * (source.nbytes + target.nbytes)
    if threads == 1:
        return Trial(lambda: copy_part(0), units)
    pool = ThreadPoolExecutor(threads)
    return Trial(lambda: list(pool.map(copy_part, range(threads))), units)


def l2_bytes() -> int:
    """The size of a core's second-level cache, or 512 KiB where the system does not tell."""
    try:
        text = L2_CACHE.read_text().strip()
    except OSError:
        return 1 << 19
    return int(text[:-1]) << {"K": 10, "M": 20}[text[-1]] if text[-1] in "KM" else int(text)


SGEMM = Contender("sgemm", "benchmarks.ceilings:sgemm")


def copy_of(size: int, name: str = "copy") -> Contender:
    """The contender that copies within so many bytes."""
    return Contender(name, "benchmarks.ceilings:copy", arguments={"size": size})


COPIES = (copy_of(l2_bytes() // 2, "copy in L2"), copy_of(1 << 28, "copy in memory"))
"""Copies within half a second-level cache, and within 256 MiB."""
