"""What goes wrong, in sentences. The command line prints the sentence and exits with status 2."""

from __future__ import annotations

from collections.abc import Iterable


class SpuskError(Exception):
    """Base of every error Spusk raises on purpose; `str(error)` is one clear sentence."""


class InputError(SpuskError, ValueError):
    """A value, a file or a column that cannot be used: names it, says what was found and what is needed."""


class ShapeError(SpuskError, ValueError):
    """Shapes that do not fit together, raised where the graph node is built."""


class DTypeError(SpuskError, TypeError):
    """Dtypes that do not fit an operation, raised where the graph node is built."""


class GradientError(SpuskError, AssertionError):
    """A gradient that disagrees with central differences."""


def closest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint for a misspelt name: `"; did you mean 'adam'?"`, or all known names when none is close.

    Args:
        name: what was asked for.
        known: what there is.
        otherwise: where to find all names, where they are too many to be told.

    >>> closest("adamm", ["adam", "sgd"]), closest("adma", ["adam", "adamax"])
    ("; did you mean 'adam'?", "; did you mean 'adam'?")
    >>> closest("zzz", ["adam", "sgd"], otherwise="'spusk methods' lists all")
    "; 'spusk methods' lists all"
    >>> closest("he", ["henormal", "heuniform", "zeros"])
    "; did you mean 'henormal' or 'heuniform'?"
    >>> closest("zzz", ["adam", "sgd"])
    '; known are: adam, sgd'
    >>> closest("zzz", [])
    '; there are none'
    """
    from difflib import get_close_matches  # only now: importing spusk stays quick

    names = sorted(known)
    if not names:
        return "; there are none"
    matches = get_close_matches(name.lower(), [n.lower() for n in names], n=len(names), cutoff=0.6)
    matches.sort(key=lambda match: not _is_one_edit(name.lower(), match))
    if matches:
        original = next(n for n in names if n.lower() == matches[0])
        return f"; did you mean {original!r}?"
    if len(name) > 1 and (longer := [n for n in names if n.lower().startswith(name.lower())]):
        return f"; did you mean {' or '.join(map(repr, longer))}?"
    return f"; {otherwise}" if otherwise else "; known are: " + ", ".join(names)


def _is_one_edit(a: str, b: str) -> bool:
    """Whether two words differ in one letter too few, too many or wrong, or in two that are exchanged."""
    short, long = sorted((a, b), key=len)
    start = next((i for i, (x, y) in enumerate(zip(short, long, strict=False)) if x != y), len(short))
    rest, other = short[start:], long[start:]
    exchanged = rest[:2] == other[1::-1] and rest[2:] == other[2:]
    return rest == other[1:] or (len(short) == len(long) and (rest[1:] == other[1:] or exchanged))
