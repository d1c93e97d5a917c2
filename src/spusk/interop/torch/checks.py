"""What cannot be used is told before anything is done with it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from spusk.errors import InputError
from spusk.interop.needs import library
from spusk.interop.torch.group import EVALUATING, SCHEDULED, SHARED, STEP, WEIGHT, Group
from spusk.optim import CATALOGUE
from spusk.optim import Optimizer as Rule
from spusk.optim.complete import require_complete
from spusk.optim.hyper import hyperparameters, members
from spusk.optim.wrappers.plateau import plateaus

torch: Any = library("torch", "torch", "spusk.interop.torch")

HOW = ("self", "params", "maximize", "foreach", "capturable", "differentiable", "fused")
KEPT = ("param_names", "initial_lr", "base_lr", "max_lr", "min_lr", "swa_lr", "base_momentum", "max_momentum")
"""What torch and its schedulers keep in groups."""
RULE = "rule"  # of a saved state
BETAS = ("beta1", "beta2", "beta3")


def check_rule(rule: Rule) -> None:
    """Refuse rules that need Spusk's own loop.

    Raises:
        InputError: if there is a Plateau in it, or something that it needs was left out.
    """
    if plateaus(rule):
        raise InputError(
            "Plateau's rate is lowered by the loop of spusk.train, after an epoch; in PyTorch use "
            "torch.optim.lr_scheduler.ReduceLROnPlateau around the optimizer inside it"
        )
    require_complete(rule)


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
        last = next((name for name in _names() if _plain(name) == _plain(last)), last)
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


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _called(name: str) -> tuple[str, ...]:
    """A hyperparameter's names in Spusk."""
    return {"betas": BETAS, "learning_rate": ("lr",)}.get(name, (name,))


def _lengths_fit(a: str, b: str) -> bool:
    """Whether one may be a misspelling of the other: `layer_decay` is none of `lr_decay`."""
    return abs(len(a) - len(b)) <= 1


def _shown(defaults: Iterable[str]) -> list[str]:
    return [name for name in defaults if name not in ("maximize", "agreed_momentum")]


def name_of(rule: Rule) -> str:
    """The rule's name, with those of the rules inside it, and what else makes its formula; without numbers.

    >>> from spusk import optim
    >>> name_of(optim.Clip(optim.Adam(), norm=1.0)), name_of(optim.Partition({"*": optim.SGD()}))
    ('clip(adam)', 'partition(sgd)')
    >>> name_of(optim.AdamW(lr=0.1)), name_of(optim.AdamW.like("torch"))
    ('adamw', 'adamw(decay_by_lr=True)')
    """
    inside = [name for field in fields(rule) for name in _names_in(getattr(rule, field.name))]
    numbers = {path.partition(".")[0] for path in hyperparameters(rule)}
    for field in fields(rule):
        content = getattr(rule, field.name)
        is_formula = field.name not in numbers and not _names_in(content) and not members(content)
        if is_formula and not is_dataclass(content) and content != field.default:
            inside.append(f"{field.name}={content!r}")
    return f"{rule.label}({', '.join(inside)})" if inside else rule.label


def _names_in(content: Any) -> list[str]:
    if isinstance(content, Rule):
        return [name_of(content)]
    return [name for part in members(content).values() for name in _names_in(part)]


def check_saved(
    saved: Mapping[str, Any], groups: Sequence[Group], defaults: Iterable[str], rule: Rule
) -> None:
    """Refuse the state of another rule; how many groups and parameters there are, torch itself checks.

    Raises:
        InputError: if it has the name of another rule, or none and then other hyperparameters or slots.
    """
    mine = name_of(rule)
    theirs = saved.get(RULE, mine)
    if theirs != mine:
        raise InputError(f"the state is one of {theirs}; this optimizer is {mine}")
    for group, kept in zip(groups, saved["param_groups"], strict=False):
        missing = [name for name in _shown(defaults) if name not in kept]
        besides: list[str] = []
        number_of = dict(zip(group.group["params"], kept["params"], strict=False))
        states = {name: saved["state"].get(number_of.get(p)) for name, p in group.parameters.items()}
        for name, state in states.items():
            if state:
                wanted = [STEP, *group.keys(name)]
                if group.update.asks_elsewhere or kept.get(EVALUATING):
                    wanted.append(WEIGHT)
                missing += [key for key in wanted if key not in state]
                besides += [key for key in state if key not in wanted]
        if any(states.values()):
            shared: Mapping[str, Any] = kept.get(SHARED) or {}
            missing += [key for key in group.keys(None) if key not in shared]
            besides += [key for key in shared if key not in group.keys(None)]
        if missing or besides:
            told = [f"it has no {', '.join(dict.fromkeys(missing))}"] if missing else []
            told += [f"it has {', '.join(sorted(set(besides)))} besides"] if besides else []
            raise InputError(f"the state is not one of {mine}: {', and '.join(told)}")
