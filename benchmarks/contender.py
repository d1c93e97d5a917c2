"""A contender as the benchmark sees it: its name, what it needs, and the process it lives in."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parent.parent
REQUIRE_PEERS = "SPUSK_REQUIRE_PEERS"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Failure(Exception):
    """A contender could not do its work; the message says why."""


@dataclass(frozen=True)
class Contender:
    """One side of a comparison.

    Args:
        name: the heading of its column.
        factory: "module:function", which gives a `Trial` when called with the arguments in the worker.
        needs: packages without which it cannot run.
        arguments: for the factory.
        left_out: why it is not run this time; it is then named with this reason.
    """

    name: str
    factory: str
    needs: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    left_out: str = ""

    def given(self, **arguments: Any) -> Contender:
        """The same contender with more arguments for its factory."""
        return replace(self, arguments={**self.arguments, **arguments})

    def absence(self) -> str | None:
        """Why it cannot take part; None if it can.

        Raises:
            SystemExit: if a package is missing where SPUSK_REQUIRE_PEERS=1 says that none may.
        """
        if missing := [package for package in self.needs if find_spec(package) is None]:
            told = f"{', '.join(missing)}: not installed"
            if os.environ.get(REQUIRE_PEERS) == "1":
                raise SystemExit(f"{told}, and {REQUIRE_PEERS}=1 requires every peer")
            return told
        return self.left_out or None


def environment(cores: int | None = None, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a process that finds this package.

    Args:
        cores: how many threads libraries may use; default: as they like.
        extra: variables to set besides.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    threads = {} if cores is None else dict.fromkeys(THREADS, str(cores))
    return {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths), **(extra or {})}


class Worker:
    """A process (see `worker`) that holds one contender's trial. Used in a `with` statement.

    Args:
        cores: how many processors it may use.
        extra: environment variables to set besides.
    """

    def __init__(self, cores: int, extra: Mapping[str, str] | None = None) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the worker)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", str(cores)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(cores, extra),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it died; what it said was told by `ask`
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def make(self, contender: Contender) -> Any:
        """Make the contender's trial; what `worker.Session.make` tells of it. Raises as `ask` does."""
        return self.ask("make", factory=contender.factory, packed=pickle.dumps(dict(contender.arguments)))

    def ask(self, request: str, **arguments: Any) -> Any:
        """What the worker answers to a request (a method of `worker.Session`).

        Raises:
            Failure: if the contender raised an error, or its process died.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump((request, arguments), self._process.stdin)
            self._process.stdin.flush()
            succeeded, reply = pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError):
            raise Failure(self._last_words()) from None
        if not succeeded:
            raise Failure(reply)
        return reply

    def _last_words(self) -> str:
        status = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"its process ended with status {status}" + (f": {lines[-1][:150]}" if lines else "")


class Pool:
    """Workers that live on from race to race, one for each kind of contender; used in a `with` statement.

    Starting a process and importing a library takes longer than many a measurement.
    """

    def __init__(self) -> None:
        self._workers: dict[tuple[str, str, int], Worker] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers.values():
            worker.__exit__()

    def worker(self, contender: Contender, cores: int) -> Worker:
        """The worker of contenders of this name and factory; a new one if there is none, or it died."""
        key = (contender.name, contender.factory, cores)
        found = self._workers.get(key)
        if found is not None and not found.is_alive:
            found.__exit__()
            found = None
        if found is None:
            found = self._workers[key] = Worker(cores)
        return found
