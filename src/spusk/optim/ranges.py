"""Which numbers a hyperparameter allows, by its name, and checks of fields that choose a formula.

A range belongs to a name, such as `lr` or `beta1`, unless a rule's class says otherwise in `ranges`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from spusk.errors import InputError

Range: TypeAlias = tuple[Callable[[float], bool], str]
"""Whether a number is allowed, and which numbers are, in words."""


def _above_zero(x: float) -> bool:
    return x > 0


def _unit(x: float) -> bool:
    return 0 <= x < 1


def _not_negative(x: float) -> bool:
    return x >= 0


def _share(x: float) -> bool:
    return 0 <= x <= 1


def _at_least_one(x: float) -> bool:
    return x >= 1


def _part(x: float) -> bool:
    return 0 < x <= 1


POSITIVE = (_above_zero, "greater than 0")
NOT_NEGATIVE = (_not_negative, "0 or greater")
UNIT = (_unit, "at least 0 and below 1")
SHARE = (_share, "at least 0 and at most 1")
PART = (_part, "greater than 0 and at most 1")
AT_LEAST_ONE = (_at_least_one, "1 or greater")

PLACES = frozenset(("steps", "every", "half_cycle", "boundaries", "milestones"))
"""Fields of schedules that are numbers of steps; what begins below 1 is in the wrong place there."""

ONE_STEP: Range = (_at_least_one, "a number of steps, 1 or more")

ALLOWED: dict[str, Range] = {
    **dict.fromkeys(
        ("lr", "steps", "every", "half_cycle", "factor", "height", "power", "div", "final_div"), POSITIVE
    ),
    **dict.fromkeys(("eps", "eps_root", "s0", "lr_decay", "psi", "decay", "warm_up"), NOT_NEGATIVE),
    **dict.fromkeys(("weight_decay", "eta", "trust", "rest_decay", "eps_rms", "ridge"), NOT_NEGATIVE),
    **dict.fromkeys(("clip", "lr_ratio", "decay_rate", "scale"), POSITIVE),
    **dict.fromkeys(("mu", "rho", "beta", "beta1", "beta2", "beta3", "momentum"), UNIT),
    **dict.fromkeys(("mu_low", "mu_high", "shampoo_beta"), UNIT),
    **dict.fromkeys(("dampening", "base_ratio"), SHARE),
    **dict.fromkeys(("alpha", "gamma", "fit_rate"), PART),
}


def check_choice(rule: Any, name: str, choices: tuple[str, ...]) -> None:
    """Raise an InputError if the rule's field is not one of the names that choose its formula."""
    content = getattr(rule, name)
    if content not in choices:
        known = ", ".join(map(repr, choices[:-1])) + f" or {choices[-1]!r}"
        raise InputError(f"{type(rule).__name__}({name}={content!r}): {name} must be {known}")


def check_whole(rule: Any, **least: int) -> None:
    """Raise an InputError if one of the rule's fields is no whole number of at least so much."""
    for name, bound in least.items():
        content = getattr(rule, name)
        if not isinstance(content, int) or isinstance(content, bool) or content < bound:
            raise InputError(
                f"{type(rule).__name__}({name}={content!r}): {name} must be a whole number, "
                f"{bound} or greater"
            )
