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


def closest(name: str, known: Iterable[str]) -> str:
    """A hint for a misspelt name: `"; did you mean 'adam'?"`, or all known names when none is close.

    >>> closest("adamm", ["adam", "sgd"])
    "; did you mean 'adam'?"
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
    matches = get_close_matches(name.lower(), [n.lower() for n in names], n=1, cutoff=0.6)
    if matches:
        original = next(n for n in names if n.lower() == matches[0])
        return f"; did you mean {original!r}?"
    if len(name) > 1 and (longer := [n for n in names if n.lower().startswith(name.lower())]):
        return f"; did you mean {' or '.join(map(repr, longer))}?"
    return "; known are: " + ", ".join(names)
