"""Options that hold more than one word, checked."""

from __future__ import annotations

import math
import os
from pathlib import Path

from spusk.errors import InputError


def names(text: str | None) -> list[str]:
    """Words separated by commas."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def numbers(option: str, text: str) -> list[float]:
    """Numbers separated by commas."""
    found: list[float] = []
    for word in names(text):
        try:
            number = float(word)
        except ValueError:
            raise InputError(f"{option} got {word!r}; it needs numbers separated by commas") from None
        if not math.isfinite(number):
            raise InputError(f"{option} got {word!r}; it needs finite numbers")
        found.append(number)
    if not found:
        raise InputError(f"{option} got no numbers; it needs numbers separated by commas")
    return found


def widths(text: str) -> list[int]:
    """Widths of hidden layers; "none" is no hidden layer."""
    if text.strip().lower() in ("none", "0", ""):
        return []
    found: list[int] = []
    for word in names(text):
        if not word.isdecimal() or int(word) < 1:
            raise InputError(f"--hidden got {word!r}; it needs whole numbers above 0, e.g. 64,32")
        found.append(int(word))
    return found


def batch_size(text: str) -> int | None:
    """A number of examples, or None for "all"."""
    if text.strip().lower() == "all":
        return None
    if not text.strip().isdecimal() or int(text) < 1:
        raise InputError(f"--batch-size got {text!r}; it needs a whole number above 0, or 'all'")
    return int(text)


def seeds(first: int, count: int) -> list[int]:
    """Consecutive seeds."""
    if count < 1:
        raise InputError(f"--seeds got {count}; it needs 1 or more")
    if first < 0:
        raise InputError(f"--seed got {first}; it needs 0 or more")
    return list(range(first, first + count))


def writable(path: Path | None) -> None:
    """Tell before any work is done that a file could not be written after it."""
    if path is None:
        return
    if path.is_dir():
        raise InputError(f"cannot write {str(path)!r}: it is a folder")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"cannot write {str(path)!r}: the folder {str(path.parent)!r} is not writable")
