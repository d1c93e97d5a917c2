"""Which learning rates a comparison tries with each optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from numbers import Real
from typing import Any, TypeAlias

from spusk.errors import InputError
from spusk.optim import Optimizer
from spusk.optim.hyper import Schedule, members
from spusk.optim.text import is_given

Rate: TypeAlias = float | None
"""A learning rate, or None where the rule is trained as it stands: by a schedule, or with several rates."""

PROBE = 0.0123456789  # any rate that nobody writes


def rates(rule: Optimizer, lrs: Iterable[float] | None, text: str | None = None) -> tuple[Rate, ...]:
    """The rates to try: the rule's own one if it was given one, else `lrs`, else its grid.

    Args:
        rule: the optimizer.
        lrs: what to try with rules that have the learning rate of their default.
        text: how the rule was written, if it was a text; what it calls lr is the rule's own rate, also if
            that is the default.

    Raises:
        InputError: if the rule has no learning rate, or does not allow one of them.

    >>> from spusk import optim
    >>> rates(optim.Adam(), [0.1, 0.2]), rates(optim.Lookahead(optim.Adam(lr=0.5)), [0.1, 0.2])
    ((0.1, 0.2), (0.5,))
    >>> rates(optim.Adam(lr=optim.Cosine(0.1, steps=80)), [0.1, 0.2])
    (None,)
    """
    if has_own_rate(rule, text):
        return (only_rate(rule),)
    tried = tuple(dict.fromkeys(float(lr) for lr in (rule.lr_grid if lrs is None else lrs)))
    for lr in tried:
        rule.with_lr(lr)  # an unusable rate is told before any training
    return tried


def only_rate(rule: Optimizer) -> Rate:
    """The learning rate of a rule; None if that is a schedule, or there are several, or none."""
    try:
        found = [content for _, _, content in _rates_of(rule)]
    except InputError:  # it has no lr
        return None
    numbers = {float(content) for content in found if isinstance(content, Real)}
    all_numbers = all(isinstance(content, Real) for content in found)
    return numbers.pop() if len(numbers) == 1 and all_numbers else None


def has_own_rate(rule: Optimizer, text: str | None = None) -> bool:
    """Whether a rule was given a learning rate, or a schedule in its place.

    A preset's rate counts as a default if the preset changes more than the rate, or the rule is a text.
    """
    for owner, name, content in _rates_of(rule):
        default = next(f.default for f in fields(owner) if f.name == name)
        if content != default and not _is_presets(owner, name, content, text is not None):
            return True
        if text is not None and is_given(text, owner, name):
            return True
    return False


def refuse_lost_schedule(rule: Optimizer) -> None:
    """Raise an InputError if another learning rate would take the place of a schedule."""
    if any(isinstance(content, Schedule) for _, _, content in _rates_of(rule)):
        raise InputError(
            f"{rule.label} has a schedule for its learning rate, which a number for lr would replace; "
            "write the rate into the schedule"
        )


def _rates_of(rule: Optimizer) -> list[tuple[Any, str, Any]]:
    """What `with_lr` replaces: whose field, its name, and what is in it."""
    return list(_replaced(None, "", rule, rule.with_lr(PROBE)))


def _replaced(owner: Any, name: str, before: Any, after: Any) -> Iterator[tuple[Any, str, Any]]:
    if is_dataclass(before) and type(before) is type(after):
        for f in fields(before):
            yield from _replaced(before, f.name, getattr(before, f.name), getattr(after, f.name))
    elif inside := members(before):
        there = members(after)
        for key, part in inside.items():
            yield from _replaced(owner, name, part, there[key])
    elif before is not after and before != after:
        yield owner, name, before


def _is_presets(owner: Any, name: str, content: Any, is_text: bool) -> bool:
    presets: Mapping[str, Mapping[str, Any]] = getattr(owner, "presets", {})
    return any(
        preset.get(name) == content
        and (len(preset) > 1 or is_text)
        and all(getattr(owner, field) == x for field, x in preset.items())
        for preset in presets.values()
    )
