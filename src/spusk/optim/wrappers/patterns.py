"""Which parameters a pattern means: an exact name, or a glob in which `*` crosses dots."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from spusk.errors import InputError, closest

Patterns = str | tuple[str, ...]


def fits(name: str, patterns: Patterns) -> bool:
    """Whether a parameter's name is one of the names, or fits one of the globs.

    >>> fits("0.bias", "*.bias"), fits("0.bias", ("0.*", "2.weight")), fits("0.bias", ())
    (True, True, False)
    """
    each = (patterns,) if isinstance(patterns, str) else patterns
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in each)


def first_fit(name: str, patterns: Iterable[str]) -> str | None:
    """The pattern that a name belongs to: an exact name beats any glob, an earlier glob a later one."""
    known = list(patterns)
    if name in known:
        return name
    return next((pattern for pattern in known if fnmatchcase(name, pattern)), None)


def check_patterns(rule: Any, *fields: str) -> None:
    """Raise an InputError if one of the rule's fields is neither a pattern nor a tuple of patterns."""
    for field in fields:
        content = getattr(rule, field)
        each = (content,) if isinstance(content, str) else content
        if not isinstance(each, tuple) or not all(isinstance(x, str) for x in each):  # pyright: ignore[reportUnknownVariableType]
            raise InputError(
                f"{type(rule).__name__}({field}={content!r}): {field} must be a parameter's name or a glob, "
                "or a tuple of them"
            )


def check_each_fits(what: str, patterns: Iterable[str], names: Iterable[str]) -> None:
    """Raise an InputError for the first pattern that fits none of the names."""
    names = list(names)
    for pattern in patterns:
        if not any(fits(name, pattern) for name in names):
            raise InputError(
                f"{what} has a pattern {pattern!r} that fits no parameter{closest(pattern, names)}"
            )
