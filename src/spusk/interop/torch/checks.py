"""What cannot be used is told before anything is done with it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

from spusk.errors import InputError
from spusk.interop.needs import library
from spusk.interop.torch.group import SCHEDULED, Group
from spusk.optim import CATALOGUE
from spusk.optim import Optimizer as Rule
from spusk.optim.hyper import hyperparameters
from spusk.optim.wrappers.plateau import plateaus

torch: Any = library("torch", "torch", "spusk.interop.torch")

HOW = ("self", "params", "maximize", "foreach", "capturable", "differentiable", "fused")
KEPT = ("param_names", "initial_lr", "base_lr", "max_lr", "min_lr", "swa_lr", "base_momentum", "max_momentum")
"""What torch and its schedulers keep in groups."""
BETAS = ("beta1", "beta2", "beta3")


def check_rule(rule: Rule) -> None:
    """Refuse rules that need Spusk's own loop.

    Raises:
        InputError: if there is a Plateau in it.
    """
    if plateaus(rule):
        raise InputError(
            "Plateau's rate is lowered by the loop of spusk.train, after an epoch; in PyTorch use "
            "torch.optim.lr_scheduler.ReduceLROnPlateau around the optimizer inside it"
        )


def check_keys(group: Mapping[str, Any], defaults: Mapping[str, Any], rule: Rule) -> None:
    """Refuse hyperparameters that the rule lacks or calls otherwise; other entries are the user's.

    Raises:
        InputError: if an entry is called like a hyperparameter of some optimizer, here or in torch, that this
            rule does not have under that name, or almost like one that it has.
    """
    for key in group:
        if key in defaults or key in (*HOW, *KEPT):
            continue
        if key == "lr" and SCHEDULED in group:  # a group that has been in use
            continue
        last = key.rpartition(".")[2]
        if last in _names():
            ours = [name for name in defaults if name.rpartition(".")[2] in _called(last)]
            hint = f"here it is {' and '.join(ours)}" if ours else f"it has {', '.join(_shown(defaults))}"
        elif alike := [n for n in get_close_matches(key, defaults, cutoff=0.8) if _lengths_fit(n, key)]:
            hint = f"did you mean {alike[0]!r}?"
        else:
            continue
        raise InputError(f"a parameter group has {key!r}, which {rule.label} does not know; {hint}")


@cache
def _names() -> set[str]:
    """All hyperparameters of torch's own optimizers, but for those about how they compute, and of Spusk's."""
    things: list[Any] = [getattr(torch.optim, name) for name in dir(torch.optim)]
    classes: list[Any] = [thing for thing in things if inspect.isclass(thing)]
    theirs = {name for cls in classes for name in inspect.signature(cls).parameters if name not in HOW}
    ours = {name.rpartition(".")[2] for cls in CATALOGUE.values() for name in hyperparameters(cls())}
    return theirs | ours | {"learning_rate"}  # as Keras and optax have it


def _called(name: str) -> tuple[str, ...]:
    """A hyperparameter's names in Spusk."""
    return {"betas": BETAS, "learning_rate": ("lr",)}.get(name, (name,))


def _lengths_fit(a: str, b: str) -> bool:
    """Whether one may be a misspelling of the other: `layer_decay` is none of `lr_decay`."""
    return abs(len(a) - len(b)) <= 1


def _shown(defaults: Iterable[str]) -> list[str]:
    return [name for name in defaults if name not in ("maximize", "agreed_momentum")]


def check_saved(
    saved: Mapping[str, Any], groups: Sequence[Group], defaults: Iterable[str], rule: Rule
) -> None:
    """Refuse the state of another rule; how many groups and parameters there are, torch itself checks.

    Raises:
        InputError: if hyperparameters or slots are missing.
    """
    for group, kept in zip(groups, saved["param_groups"], strict=False):
        missing = [name for name in _shown(defaults) if name not in kept]
        number_of = dict(zip(group.group["params"], kept["params"], strict=False))
        for name, p in group.parameters.items():
            state = saved["state"].get(number_of.get(p), {})
            if state:
                missing += [key for key in group.keys(name) if key not in state]
        if missing:
            raise InputError(
                f"the state is not one of {rule.label}: it has no {', '.join(dict.fromkeys(missing))}"
            )
