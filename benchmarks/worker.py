"""A process with so many cores in which one contender lives: `python -m benchmarks.worker CORES`.

It reads pickled requests from standard input, and writes pickled replies to standard output; what libraries
print there goes to standard error. Nothing heavy is imported before the cores are chosen.
"""

from __future__ import annotations

import gc
import math
import os
import pickle
import sys
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.trial import Evidence, Trial


class Session:
    """The requests that a worker understands."""

    def __init__(self) -> None:
        self._trial: Trial | None = None
        self._latest = 0.0

    @property
    def trial(self) -> Trial:
        if self._trial is None:
            raise RuntimeError("no trial has been made")
        return self._trial

    def make(self, factory: str, packed: bytes) -> dict[str, Any]:
        """Make the trial: `factory` is "module:function". Seconds for its imports and for making it.

        Its arguments come packed, for to unpickle an array imports NumPy, which belongs to the imports.
        """
        began = perf_counter()
        module, function = factory.split(":")
        make = getattr(import_module(module), function)
        imported = perf_counter()
        arguments = pickle.loads(packed)
        ready = perf_counter()
        self._trial = make(**arguments)
        return {
            "import": imported - began,
            "make": perf_counter() - ready,
            "units": self.trial.units,
            "note": self.trial.note,
        }

    def once(self) -> float:
        """Seconds of the work, done once."""
        began = perf_counter()
        self.trial.once()
        self._latest = perf_counter() - began
        return self._latest

    def repeat(self, at_least: float) -> float:
        """Seconds a unit: the work is done as often as it takes to fill the time `at_least`, in seconds."""
        count = max(1, math.ceil(at_least / max(self._latest, 1e-9)))
        once = self.trial.once
        gc.collect()
        began = perf_counter()
        for _ in range(count):
            once()
        total = perf_counter() - began
        self._latest = total / count
        return self._latest / self.trial.units

    def evidence(self) -> Evidence:
        """What the trial computed, by name; empty if it has nothing to show."""
        return self.trial.evidence() if self.trial.evidence is not None else {}


def sentence(error: BaseException) -> str:
    """An error in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text if len(text) <= 200 else text[:199] + "…"


def keep_to(cores: int) -> None:
    """Let this process run on its last `cores` processors only, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])


def serve() -> None:
    """Answer requests (name, arguments) with (True, result) or (False, sentence) until they end."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    session = Session()
    while True:
        try:
            name, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            reply = (True, getattr(session, name)(**arguments))
        except Exception as error:  # whatever a contender raises is told in its row, and the others go on
            reply = (False, sentence(error))
        pickle.dump(reply, replies)
        replies.flush()


if __name__ == "__main__":
    keep_to(int(sys.argv[1]))
    serve()
