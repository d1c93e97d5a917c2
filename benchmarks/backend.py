"""The one place where the benchmarks choose what runs our programs."""

from __future__ import annotations

import os
from typing import Any

VARIABLE = "SPUSK_BENCHMARKS_BACKEND"
"""The environment tells the workers, too."""


def choose(backend: str) -> None:
    """Run our programs on this backend from now on, here and in processes started after this."""
    os.environ[VARIABLE] = backend


def name() -> str:
    """What runs our programs; Spusk's default unless another was chosen."""
    return os.environ.get(VARIABLE, "native")


def chosen() -> dict[str, Any]:
    """Keyword arguments for `Program`, `descent_step` and the like."""
    return {"backend": name()}


def in_threads() -> bool:
    """Whether many trainings run as threads of one process, as `lab.compare` decides it."""
    return name() == "native"
