"""Fresh starts: what importing and compiling cost in a process that has done nothing before."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from benchmarks.contender import Contender, Failure, Worker, environment
from benchmarks.timing import Absent, Outcome, Times, say

CACHES = ("SPUSK_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "JAX_COMPILATION_CACHE_DIR")
"""Where each library keeps compiled code: Spusk's, torch.compile's, and JAX's, which has none by default."""
KEEP_ALL = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}

TIME_IMPORT = "from time import perf_counter as now; began = now(); import {}; print(now() - began)"


@dataclass(frozen=True)
class Start:
    """Seconds of one fresh start.

    Args:
        imported: for importing the contender's module, and with it its library.
        compiled: for making the work and doing it first, less the time of doing it again.
    """

    imported: float
    compiled: float


@dataclass(frozen=True)
class Starts:
    """The repeats of one contender: with empty caches, and with what the start before left there."""

    cold: tuple[Start, ...]
    cached: tuple[Start, ...]

    def times(self, *, cached: bool, imports: bool) -> Times:
        """Compilation alone, or with the imports."""
        found = self.cached if cached else self.cold
        return Times(tuple(s.compiled + (s.imported if imports else 0.0) for s in found))


def start(contender: Contender, cores: int, cache: str) -> Start:
    """One fresh start, with compiled code kept in the folder `cache`.

    Raises:
        Failure: if the contender cannot do its work.
    """
    with Worker(cores, {**dict.fromkeys(CACHES, cache), **KEEP_ALL}) as worker:
        made = worker.make(contender)
        first = worker.ask("once")
        again = min(worker.ask("once") for _ in range(3))
    return Start(made["import"], max(made["make"] + first - again, 1e-9))


def starts(contenders: Sequence[Contender], cores: int, repeats: int) -> dict[str, Starts | Absent]:
    """Fresh starts in turns: each time cold, then cached."""
    found: dict[str, list[tuple[Start, Start]]] = {c.name: [] for c in contenders}
    absent = {c.name: Absent(reason) for c in contenders if (reason := c.absence()) is not None}
    for _ in range(repeats):
        for contender in contenders:
            if contender.name in absent:
                continue
            say(f"starting {contender.name}")
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cache:
                try:
                    pair = start(contender, cores, cache), start(contender, cores, cache)
                except Failure as failure:
                    absent[contender.name] = Absent(str(failure))
                    continue
            found[contender.name].append(pair)
    return {
        name: absent[name] if name in absent else Starts(*(tuple(side) for side in zip(*pairs, strict=True)))
        for name, pairs in found.items()
    }


def imports(statements: dict[str, str], repeats: int) -> dict[str, Outcome]:
    """Seconds of imports in fresh processes, in turns.

    Args:
        statements: name -> what follows `import`, e.g. "jax, optax".
        repeats: turns of each, after one that fills the file system's cache.
    """
    absent = {
        name: Absent(f"{', '.join(missing)}: not installed")
        for name, modules in statements.items()
        if (missing := [module for module in modules.split(", ") if find_spec(module) is None])
    }
    seconds: dict[str, list[float]] = {name: [] for name in statements if name not in absent}
    for turn in range(repeats + 1):
        for name, found in seconds.items():
            taken = _import_seconds(statements[name])
            if turn:
                found.append(taken)
    return {name: absent[name] if name in absent else Times(tuple(seconds[name])) for name in statements}


def _import_seconds(modules: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", TIME_IMPORT.format(modules)],
        env=environment(1),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)
