"""The one place where the benchmarks choose what runs our programs."""

from __future__ import annotations

from typing import Any


def chosen() -> dict[str, Any]:
    """Keyword arguments for `Program`, `descent_step` and the like; empty: Spusk's default backend."""
    return {}


def name() -> str:
    """What ran our programs, for the report."""
    return str(chosen().get("backend", "default"))
