"""The fields of a method: default, what is allowed, what they mean."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spusk.errors import SpuskError
from spusk.optim.ranges import ALLOWED

# Values that a field is tried with: what refuses one of them says what it allows.
PROBES: tuple[Any, ...] = (-1.0, 2.0, 0.0, 1e12, "?")
REQUIRED = "required"


@dataclass(frozen=True)
class Setting:
    """A field of a method.

    Attributes:
        name: of the field.
        default: as Python writes it; "required" if there is none.
        allowed: in words, as the error for other values says; "any number" if every finite one is.
        text: what the docstring says about it.
    """

    name: str
    default: str
    allowed: str
    text: str


def settings(thing: Any, texts: Mapping[str, str]) -> tuple[Setting, ...]:
    """The fields of a dataclass, or the arguments with defaults of a function.

    Args:
        thing: the class or function.
        texts: what its docstring says about each.

    >>> from spusk.optim import RAdam
    >>> [(s.name, s.default, s.allowed) for s in settings(RAdam, {})][3:5]
    [('eps', '1e-08', '0 or greater'), ('threshold', '4.0', '4 or greater')]
    """
    if not dataclasses.is_dataclass(thing):
        parameters = inspect.signature(thing).parameters.values()
        optional = [p for p in parameters if p.default is not inspect.Parameter.empty]
        return tuple(
            Setting(p.name, repr(p.default), _by_kind(p.default), texts.get(p.name, "")) for p in optional
        )
    sample = _sample(thing)
    return tuple(
        Setting(f.name, _default(f), _allowed(thing, sample, f), texts.get(f.name, ""))
        for f in dataclasses.fields(thing)
        if f.init
    )


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return written_value(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return written_value(field.default_factory())
    return REQUIRED


def written_value(value: Any) -> str:
    """A field's value as one would write it; of an optimizer or a schedule, with what differs from defaults.

    >>> from spusk.optim import Adam
    >>> written_value(Adam(eps=1e-10)), written_value(1e-8), written_value("keep")
    ('Adam(eps=1e-10)', '1e-08', "'keep'")
    """
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return repr(value)
    changed = [
        f"{f.name}={written_value(getattr(value, f.name))}"
        for f in dataclasses.fields(value)
        if f.init and getattr(value, f.name) != f.default
    ]
    return f"{type(value).__name__}({', '.join(changed)})"


def _sample(cls: Any) -> Any:
    """An instance to try values on; None if nothing is known that its fields without defaults allow."""
    needed = [f.name for f in dataclasses.fields(cls) if f.init and _default(f) == REQUIRED]
    try:
        return cls(**dict.fromkeys(needed, 1.0))
    except (SpuskError, TypeError, ValueError, AttributeError):
        return None


def _allowed(cls: Any, sample: Any, field: dataclasses.Field[Any]) -> str:
    """What a field allows, in words."""
    default = field.default
    optional = " or None" if default is None else ""
    if isinstance(default, bool):
        return "True or False"
    kind = str(field.type)
    if not optional and "Hyper" not in kind and not isinstance(default, (int, float, str)):
        return "an optimizer" if "Optimizer" in kind else "a schedule" if "Schedule" in kind else ""
    for probe in PROBES:
        if words := _refusal(sample, field.name, probe):
            return words + optional
    ranges = {**ALLOWED, **getattr(cls, "ranges", {})}
    if sample is None and field.name in ranges:
        return ranges[field.name][1] + optional
    if "Hyper" in kind or isinstance(default, float):
        return "any number" + optional
    return _by_kind(default)


def _by_kind(default: Any) -> str:
    kinds = ((bool, "True or False"), (int, "a whole number"), (float, "a number"), (str, "a text"))
    return next((words for kind, words in kinds if isinstance(default, kind)), "")


def _refusal(sample: Any, name: str, probe: Any) -> str:
    """What the error says that a field needs when it is given a value; no text if the value is taken."""
    if sample is None:
        return ""
    try:
        dataclasses.replace(sample, **{name: probe})
    except SpuskError as error:
        found = re.search(rf"(?:\b{name} must be|; it needs) (.+)", str(error))
        words = found.group(1).partition(";")[0] if found else ""
        return "" if words in ("a number or a schedule", "a finite number") else words
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        return ""
    return ""
