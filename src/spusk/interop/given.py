"""Hyperparameters given by name in place of a rule's own: at once, or later as traced values."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import numpy as np

from spusk.errors import InputError, closest
from spusk.interop.rate import place_of_lr
from spusk.optim import Optimizer, Schedule
from spusk.optim.hyper import hyperparameters, with_hyperparameters

THEIRS = {"learning_rate": "lr", "b1": "beta1", "b2": "beta2"}
"""Names of optax that are none of ours, for the hint."""


def words(rule: Optimizer) -> dict[str, str]:
    """The names of hyperparameters by what they are as keywords: `lr` is the rate wherever it stands.

    >>> from spusk.optim import SGD, Lookahead
    >>> words(Lookahead(SGD()))
    {'lr': 'inner.lr', 'alpha': 'alpha'}
    """
    place, names = place_of_lr(rule), list(hyperparameters(rule))
    found = _keywords("lr" if name == place else name for name in names)
    return dict(zip(found, names, strict=True))


def _keywords(names: Iterable[str]) -> list[str]:
    """Names of hyperparameters as Python can have them for arguments; those that become alike get numbers.

    >>> _keywords(["lr", "inner.lr", "rules.*bias.lr", "rules.0.*.lr", "rules.0-*.lr", "rules.0_*.lr"])
    ['lr', 'inner__lr', 'rules__anybias__lr', 'rules__0__any__lr', 'rules__0_any__lr', 'rules__0_any__lr_2']
    """
    found: list[str] = []
    for name in names:
        word = first = re.sub(r"\W", "_", name.replace(".", "__").replace("*", "any"))
        count = 1
        while word in found:
            count += 1
            word = f"{first}_{count}"
        found.append(word)
    return found


def named(rule: Optimizer, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, by the rule's own names.

    Raises:
        InputError: for a name that the rule does not have, or has been given twice.

    >>> from spusk.optim import SGD, Lookahead
    >>> named(Lookahead(SGD()), {"lr": 0.1}), named(Lookahead(SGD()), {"inner__lr": 0.1})
    ({'inner.lr': 0.1}, {'inner.lr': 0.1})
    """
    known, found = words(rule), dict[str, Any]()
    for word, value in given.items():
        name = known.get(word, word.replace("__", "."))
        if name not in known.values():
            raise InputError(_unknown(rule, word, known))
        if name in found:
            raise InputError(f"{rule.label} got {name} twice, the second time as {word!r}")
        found[name] = value
    return found


def settled(rule: Optimizer, given: Mapping[str, Any]) -> tuple[Optimizer, dict[str, Any]]:
    """The rule with the numbers and schedules that are given, and by its names what is known only later.

    Numbers of Python and NumPy are checked as the rule's constructor does. Arrays of other libraries may be
    traced, and are often the value of a schedule, which may end at 0: they are taken as they come.

    Raises:
        InputError: for names and values that the rule does not allow.

    >>> from spusk.optim import SGD, Lookahead
    >>> rule, later = settled(Lookahead(SGD()), {"lr": 0.1, "alpha": abs})
    >>> rule.inner, later
    (SGD(lr=0.1), {'alpha': <built-in function abs>})
    """
    found = {name: single(name, value) for name, value in named(rule, given).items()}
    later = {name: value for name, value in found.items() if is_later(value)}
    now = {name: value for name, value in found.items() if name not in later}
    return with_hyperparameters(rule, now), later


def is_later(value: Any) -> bool:
    """Whether a value is a function of the step, or an array of another library than NumPy."""
    if isinstance(value, Schedule | type | np.ndarray | np.generic):
        return False
    return callable(value) or hasattr(value, "dtype")


def single(name: str, value: Any) -> Any:
    """A value that is no array, unless it is another library's scalar."""
    if shape := tuple(getattr(value, "shape", ())):
        raise InputError(
            f"{name} has shape {shape}; it must be a single number (to train with several, jax.vmap over it)"
        )
    return cast(Any, value).item() if isinstance(value, np.ndarray | np.generic) else value


def _unknown(rule: Optimizer, word: str, known: Mapping[str, str]) -> str:
    title = type(rule).__name__
    if word in {field.name for field in dataclasses.fields(rule)} and not any(
        name.startswith(f"{word}.") for name in known.values()
    ):
        return f"{word} chooses the formula of {title}, so it stands in the rule: {title}({word}=…)"
    return f"{rule.label} has no hyperparameter {word!r}{closest(THEIRS.get(word, word), known)}"
