"""The line of the user's code that a node or an error belongs to."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

PACKAGES = (str(Path(__file__).resolve().parent.parent) + "/", str(Path(np.__file__).parent) + "/")
"""The folders whose lines are not the user's: this package, and NumPy, which may call it."""


class Place(NamedTuple):
    """A line of the user's code."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{Path(self.file).name}:{self.line}"


# While set, new nodes say they were made there: gradients point at the line of the forward computation.
CURRENT_PLACE: ContextVar[Place | None] = ContextVar("CURRENT_PLACE", default=None)


def users_place() -> Place:
    """The innermost line on the call stack that belongs neither to this package nor to NumPy."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame.f_code.co_filename.startswith(PACKAGES) and frame.f_back is not None:
        frame = frame.f_back
    return _place(frame.f_code.co_filename, frame.f_lineno)


_place = lru_cache(maxsize=4096)(Place)  # the nodes of one line share their place
