"""Options that hold more than one word, checked."""

from __future__ import annotations

import math

from spusk.errors import InputError


def names(text: str | None) -> list[str]:
    """Words separated by commas."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def own_files(optimizers: str | None) -> list[str]:
    """The Python files that optimizers written as FILE.py:NAME come from."""
    from spusk.optim.text import OWN

    return [file.strip() for file, _ in OWN.findall(optimizers or "")]


def optimizers(text: str) -> list[str]:
    """Optimizers separated by the commas that stand outside of brackets.

    >>> optimizers("sgd, lookahead(adam(beta1=0.8), k=10)")
    ['sgd', 'lookahead(adam(beta1=0.8), k=10)']
    """
    words, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            words.append("")
        else:
            words[-1] += character
    return [word.strip() for word in words if word.strip()]


def number(option: str, text: str, needed: str = "a number") -> float:
    """One finite number."""
    try:
        found = float(text)
    except ValueError:
        raise InputError(f"{option} got {text!r}; it needs {needed}") from None
    if not math.isfinite(found):
        raise InputError(f"{option} got {text!r}; it needs a finite number")
    return found


def numbers(option: str, text: str) -> list[float]:
    """Numbers separated by commas."""
    found = [number(option, word, "numbers separated by commas") for word in names(text)]
    if not found:
        raise InputError(f"{option} got no numbers; it needs numbers separated by commas")
    if repeated := [x for x in found if found.count(x) > 1]:
        raise InputError(f"{option} got {repeated[0]:g} twice")
    return found


def widths(text: str) -> list[int]:
    """Widths of hidden layers; "none" is no hidden layer."""
    if text.strip().lower() == "none":
        return []
    found: list[int] = []
    for word in map(str.strip, text.split(",")):
        if not word.isdecimal() or int(word) < 1:
            raise InputError(f"--hidden got {word!r}; it needs whole numbers above 0, e.g. 64,32, or none")
        found.append(int(word))
    return found


MOST = 10**9  # epochs, seeds, …: more would never end


def whole(option: str, text: str, least: int, most: int | None = MOST) -> int:
    """A whole number."""
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise InputError(f"{option} got {text!r}; it needs a whole number, {least} or more")
    if most is not None and number > most:
        raise InputError(f"{option} got {text!r:.60}; it needs a whole number of at most {most:,}")
    return number


def batch_size(text: str | None) -> int | None:
    """A number of examples, by default 32, or None for "all"."""
    if text is None:
        return 32
    if text.strip().lower() == "all":
        return None
    if not text.strip().isdecimal() or int(text) < 1:
        raise InputError(f"--batch-size got {text!r}; it needs a whole number above 0, or 'all'")
    return int(text)


def seeds(first: str, count: str) -> list[int]:
    """Consecutive seeds."""
    start = whole("--seed", first, 0, most=None)
    return list(range(start, start + whole("--seeds", count, 1)))
