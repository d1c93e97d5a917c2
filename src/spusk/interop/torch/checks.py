"""What cannot be used is told before anything is done with it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spusk.errors import InputError
from spusk.interop.needs import library
from spusk.interop.torch.group import Group
from spusk.optim import Optimizer as Rule
from spusk.optim.wrappers.plateau import plateaus

torch: Any = library("torch", "torch", "spusk.interop.torch")

HOW = ("self", "params", "lr", "maximize", "foreach", "capturable", "differentiable", "fused")
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
        InputError: if one is given that some optimizer of torch has, or a rule inside this one.
    """
    inside = {name.rpartition(".")[2]: name for name in defaults if "." in name}
    for key in group:
        if key in defaults or key not in {*_torch_names(), *inside}:
            continue
        ours = [name for name in defaults if name.rpartition(".")[2] in BETAS] if key == "betas" else []
        here = " and ".join(ours) if ours else inside.get(key)
        hint = f"here it is {here}" if here else f"it has {', '.join(_shown(defaults))}"
        raise InputError(f"a parameter group has {key!r}, which {rule.label} does not know; {hint}")


def _torch_names() -> set[str]:
    """The hyperparameters of torch's own optimizers, but for those about how they compute."""
    things: list[Any] = [getattr(torch.optim, name) for name in dir(torch.optim)]
    classes: list[Any] = [thing for thing in things if inspect.isclass(thing)]
    return {name for cls in classes for name in inspect.signature(cls).parameters if name not in HOW}


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
