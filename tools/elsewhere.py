"""What other libraries call our methods, read from the installed libraries.

    python -m tools.elsewhere           # writes src/spusk/lab/methods/elsewhere.toml
    python -m tools.elsewhere --check   # exit status 1 if they give something else

It needs torch, optax, keras (with KERAS_BACKEND=jax), timm, pytorch_optimizer and jax. A method is found
under its own name in any spelling, or under what `NAMES` says; its hyperparameters under their own names or
those of `ARGUMENTS`. Schedules, initialisers and losses are found under what their tables say only.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import os
import re
import sys
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import ModuleType
from typing import Any

from tools import elsewhere_nn

from spusk import init, nn, optim
from spusk.lab.methods.settings import settings

TARGET = Path(__file__).resolve().parent.parent / "src/spusk/lab/methods/elsewhere.toml"

MODULES = {
    "torch": ("torch.optim",),
    "optax": ("optax", "optax.contrib"),
    "keras": ("keras.optimizers",),
    "timm": ("timm.optim",),
    "pytorch_optimizer": ("pytorch_optimizer",),
    "jax": (),
}

# Names that are not our own: of an optimizer by library, with the arguments that choose the method.
NAMES: dict[str, dict[str, str]] = {
    "gradientdescent": {
        "torch": "torch.optim.SGD",
        "optax": "optax.sgd",
        "keras": "keras.optimizers.SGD",
        "timm": "timm.optim.SGD",
        "pytorch_optimizer": "pytorch_optimizer.SGD",
    },
    "momentum": {
        "torch": "torch.optim.SGD(momentum=0.9)",
        "optax": "optax.sgd(momentum=0.9)",
        "keras": "keras.optimizers.SGD(momentum=0.9)",
        "timm": "timm.optim.SGD(momentum=0.9)",
        "pytorch_optimizer": "pytorch_optimizer.SGD(momentum=0.9)",
    },
    "nesterov": {
        "torch": "torch.optim.SGD(momentum=0.9, nesterov=True)",
        "optax": "optax.sgd(momentum=0.9, nesterov=True)",
        "keras": "keras.optimizers.SGD(momentum=0.9, nesterov=True)",
        "timm": "timm.optim.SGD(momentum=0.9, nesterov=True)",
        "pytorch_optimizer": "pytorch_optimizer.SGD(momentum=0.9, nesterov=True)",
    },
    "amsgrad": {
        "torch": "torch.optim.Adam(amsgrad=True)",
        "keras": "keras.optimizers.Adam(amsgrad=True)",
        "timm": "timm.optim.Adam(amsgrad=True)",
    },
    "cyclicallr": {
        "torch": "torch.optim.lr_scheduler.CyclicLR",
        "pytorch_optimizer": "pytorch_optimizer.CyclicLR",
    },
    "dadaptadam": {"optax": "optax.contrib.dadapt_adamw"},
    "psgdkron": {"timm": "timm.optim.kron.Kron", "pytorch_optimizer": "pytorch_optimizer.Kron"},
    "novograd": {"timm": "timm.optim.NvNovoGrad"},
    "sophiah": {"optax": "optax.contrib.sophia"},
    "clip": {
        "torch": "torch.nn.utils.clip_grad_norm_",
        "optax": "optax.clip_by_global_norm",
        "keras": "keras.optimizers.SGD(global_clipnorm=1.0)",
    },
    "agc": {"optax": "optax.adaptive_grad_clip", "timm": "timm.utils.agc.adaptive_clip_grad"},
    "weightdecay": {
        "torch": "torch.optim.AdamW",
        "optax": "optax.add_decayed_weights",
        "keras": "keras.optimizers.AdamW",
    },
    "cautious": {"timm": "timm.optim.AdamWLegacy(caution=True)"},
    "partition": {"torch": "torch.optim.Optimizer"},
    "layerrates": {"torch": "torch.optim.Optimizer"},
    "layerwisedecay": {"timm": "timm.optim.param_groups_layer_decay"},
    "accumulate": {"optax": "optax.MultiSteps"},
    "ema": {
        "torch": "torch.optim.swa_utils.AveragedModel",
        "keras": "keras.optimizers.SGD(use_ema=True)",
        "timm": "timm.utils.ModelEmaV3",
    },
    "swa": {"torch": "torch.optim.swa_utils.AveragedModel"},
    "skipnonfinite": {"optax": "optax.apply_if_finite"},
    "mask": {"optax": "optax.masked"},
    "plateau": {
        "torch": "torch.optim.lr_scheduler.ReduceLROnPlateau",
        "optax": "optax.contrib.reduce_on_plateau",
        "keras": "keras.callbacks.ReduceLROnPlateau",
    },
}

SCHEDULES: dict[str, dict[str, str]] = {
    "constant": {"optax": "optax.constant_schedule"},
    "stepdecay": {"torch": "torch.optim.lr_scheduler.StepLR", "timm": "timm.scheduler.StepLRScheduler"},
    "exponentialdecay": {
        "torch": "torch.optim.lr_scheduler.ExponentialLR",
        "optax": "optax.exponential_decay",
        "keras": "keras.optimizers.schedules.ExponentialDecay",
    },
    "cosine": {
        "torch": "torch.optim.lr_scheduler.CosineAnnealingLR",
        "optax": "optax.cosine_decay_schedule",
        "keras": "keras.optimizers.schedules.CosineDecay",
        "timm": "timm.scheduler.CosineLRScheduler",
        "pytorch_optimizer": "pytorch_optimizer.CosineScheduler",
    },
    "warmup": {"torch": "torch.optim.lr_scheduler.LinearLR", "optax": "optax.warmup_constant_schedule"},
    "onecycle": {
        "torch": "torch.optim.lr_scheduler.OneCycleLR",
        "optax": "optax.linear_onecycle_schedule",
        "pytorch_optimizer": "pytorch_optimizer.OneCycleLR",
    },
    "triangular": {"torch": "torch.optim.lr_scheduler.CyclicLR(mode='triangular')"},
    "triangular2": {"torch": "torch.optim.lr_scheduler.CyclicLR(mode='triangular2')"},
    "exprange": {"torch": "torch.optim.lr_scheduler.CyclicLR(mode='exp_range')"},
    "multistep": {
        "torch": "torch.optim.lr_scheduler.MultiStepLR",
        "optax": "optax.piecewise_constant_schedule",
        "timm": "timm.scheduler.MultiStepLRScheduler",
        "pytorch_optimizer": "pytorch_optimizer.MultiStepLR",
    },
    "polynomial": {
        "torch": "torch.optim.lr_scheduler.PolynomialLR",
        "optax": "optax.polynomial_schedule",
        "keras": "keras.optimizers.schedules.PolynomialDecay",
        "timm": "timm.scheduler.PolyLRScheduler",
        "pytorch_optimizer": "pytorch_optimizer.PolyScheduler",
    },
    "warmrestarts": {
        "torch": "torch.optim.lr_scheduler.CosineAnnealingWarmRestarts",
        "optax": "optax.sgdr_schedule",
        "keras": "keras.optimizers.schedules.CosineDecayRestarts",
        "timm": "timm.scheduler.CosineLRScheduler",
        "pytorch_optimizer": "pytorch_optimizer.CosineAnnealingWarmRestarts",
    },
    "inversetime": {"keras": "keras.optimizers.schedules.InverseTimeDecay"},
    "rex": {"pytorch_optimizer": "pytorch_optimizer.REXScheduler"},
    "piecewise": {
        "optax": "optax.piecewise_interpolate_schedule",
        "keras": "keras.optimizers.schedules.PiecewiseConstantDecay",
    },
    "join": {"torch": "torch.optim.lr_scheduler.SequentialLR", "optax": "optax.join_schedules"},
}

# What others call our hyperparameters; `betas[0]` is the first of a tuple `betas`.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "lr": ("learning_rate", "max_lr"),
    "mu": ("momentum", "beta"),
    "beta": ("momentum", "b1"),
    "beta1": ("b1", "beta_1", "betas[0]"),
    "beta2": ("b2", "beta_2", "betas[1]"),
    "beta3": ("b3", "beta_3", "betas[2]"),
    "rho": ("alpha", "decay"),
    "eps": ("epsilon",),
    "s0": ("initial_accumulator_value",),
    "psi": ("momentum_decay",),
    "k": ("sync_period",),
    "alpha": ("slow_step_size",),
    "half_cycle": ("step_size_up",),
    "cycle_momentum": ("cycle_momentum",),
    "mu_low": ("base_momentum",),
    "mu_high": ("max_momentum",),
    "steps": ("decay_steps", "T_max", "total_iters", "transition_steps", "total_steps", "t_initial"),
    "initial": ("init_value", "initial_learning_rate", "initial_value"),
    "every": ("step_size", "decay_t", "decay_steps"),
    "factor": ("gamma", "decay_rate", "decay_factor"),
    "final": ("eta_min", "end_value", "end_learning_rate", "lr_min"),
    "milestones": ("milestones",),
    "boundaries": ("boundaries",),
    "peak": ("max_lr", "peak_value"),
}

# Of an optimizer, the hyperparameters that others have as 1 minus ours: in Adan's paper β is the weight of
# the new value, in every library that of the old one.
COMPLEMENTS: dict[str, tuple[str, ...]] = {"adan": ("beta1", "beta2", "beta3")}

# What others count with the step in which ours has ended.
LONGER: dict[str, tuple[str, str]] = {"onecycle": ("steps", "total_steps")}

# Of each kind, our methods and the names that others have for them.
KINDS: dict[str, tuple[Mapping[str, Any], dict[str, dict[str, str]]]] = {
    "optimizer": (optim.CATALOGUE, NAMES),
    "schedule": (optim.SCHEDULES, SCHEDULES),
    "initialiser": (init.CATALOGUE, elsewhere_nn.INITIALISERS),
    "loss": (nn.losses.CATALOGUE, elsewhere_nn.LOSSES),
}


def content() -> str:
    """The data file, from the libraries that are installed."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    modules = {lib: [importlib.import_module(m) for m in names] for lib, names in MODULES.items()}
    lines = ["# Written by python -m tools.elsewhere from these versions.", "[versions]"]
    lines += [f'{lib} = "{importlib.metadata.version(lib).partition("+")[0]}"' for lib in MODULES]
    for kind, (room, _) in KINDS.items():
        for name, thing in room.items():
            for library in MODULES:
                lines += _section(kind, name, thing, library, modules[library])
    return "\n".join(lines) + "\n"


def _section(kind: str, name: str, thing: Any, library: str, modules: list[ModuleType]) -> Iterator[str]:
    path = KINDS[kind][1].get(name, {}).get(library)
    if path is None and kind == "optimizer":
        path = _by_own_name(name, modules)
    if path is None:
        return
    yield f"\n[{kind}.{name}.{library}]"
    yield f'name = "{path}"'
    there = _imported(path.partition("(")[0])
    fixed = set(re.findall(r"(\w+)=", path))
    for argument in fixed:
        if argument not in inspect.signature(there).parameters:
            sys.exit(f"{path}: there is no argument {argument!r}")
    if kind in ("initialiser", "loss"):
        found = _arguments(thing, there, elsewhere_nn.ARGUMENTS, without=fixed)
    else:
        found = _arguments(thing, there, ARGUMENTS)
    found |= {ours: f"1 − {found[ours]}" for ours in COMPLEMENTS.get(name, ()) if ours in found}
    ours, theirs = LONGER.get(name, ("", ""))
    if theirs and found.get(ours) == theirs:
        found[ours] = f"{theirs} − 1"
    if found:
        yield "arguments = { " + ", ".join(f'{ours} = "{theirs}"' for ours, theirs in found.items()) + " }"


def _by_own_name(name: str, modules: list[ModuleType]) -> str | None:
    """Where one of the modules has something callable of that name, in any spelling."""
    for module in modules:
        same = [
            n for n in vars(module) if n.lower().replace("_", "") == name and callable(getattr(module, n))
        ]
        if same:
            return f"{module.__name__}.{same[0]}"
    return None


def _imported(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _arguments(
    thing: Any, theirs: Any, others: Mapping[str, tuple[str, ...]], without: AbstractSet[str] = frozenset()
) -> dict[str, str]:
    """Of the fields of our class or function, those that the other one takes too, and under which name."""
    names = set(inspect.signature(theirs).parameters) - without
    found: dict[str, str] = {}
    for ours in (setting.name for setting in settings(thing, {})):
        for candidate in (ours, *others.get(ours, ())):
            if candidate.partition("[")[0] in names:
                found[ours] = candidate
                break
    return found


def main() -> None:
    text = content()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text, encoding="utf-8")
    elif TARGET.read_text(encoding="utf-8") != text:
        sys.exit(f"{TARGET.name} is not what the installed libraries give; run python -m tools.elsewhere")


if __name__ == "__main__":
    main()
