"""The two ways to run a graph."""

from __future__ import annotations

from typing import Literal, get_args

from spusk.errors import InputError, closest

Backend = Literal["native", "numpy"]


def check_backend(backend: str) -> None:
    """Raise an InputError for a backend that does not exist."""
    if backend not in get_args(Backend):
        raise InputError(f"there is no backend {backend!r}{closest(str(backend), get_args(Backend))}")
