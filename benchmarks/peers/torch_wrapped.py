"""Methods that PyTorch users put together of parts: wrappers around Adam, and groups of parameters.

Each takes named parameters and the arguments that choose torch's variant, and gives a function that steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import torch

Named = list[tuple[str, torch.nn.Parameter]]
Build = Callable[[Named, Mapping[str, Any]], Callable[[], Any]]


def _parameters(named: Named) -> list[torch.nn.Parameter]:
    return [p for _, p in named]


def _adam(named: Named, switch: Mapping[str, Any]) -> torch.optim.Optimizer:
    return torch.optim.Adam(_parameters(named), **switch)


def only_adam(named: Named, switch: Mapping[str, Any]) -> Callable[[], Any]:
    """Adam: where the wrapper does nothing in a step, as a scheduler that looks once an epoch."""
    return _adam(named, switch).step


def clip(named: Named, switch: Mapping[str, Any]) -> Callable[[], Any]:
    adam, parameters = _adam(named, switch), _parameters(named)

    def step() -> None:
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()

    return step


def agc(named: Named, switch: Mapping[str, Any]) -> Callable[[], Any]:
    adam, parameters = _adam(named, switch), _parameters(named)
    clipped = import_module("pytorch_optimizer").agc

    def step() -> None:
        with torch.no_grad():
            for p in parameters:
                p.grad = clipped(p, p.grad)
        adam.step()

    return step


def cyclical(named: Named, switch: Mapping[str, Any]) -> Callable[[], Any]:
    optimizer = torch.optim.SGD(_parameters(named), lr=0.01, momentum=0.9, **switch)
    schedule = torch.optim.lr_scheduler.CyclicLR(optimizer, base_lr=0.0025, max_lr=0.01)

    def step() -> None:
        optimizer.step()
        schedule.step()

    return step


def lookahead(named: Named, switch: Mapping[str, Any]) -> Callable[[], Any]:
    return import_module("pytorch_optimizer").Lookahead(_adam(named, switch)).step


def _averaged(named: Named, switch: Mapping[str, Any], **kind: Any) -> Callable[[], Any]:
    module, adam = torch.nn.ParameterList(_parameters(named)), _adam(named, switch)
    mean = torch.optim.swa_utils.AveragedModel(module, **kind)

    def step() -> None:
        adam.step()
        mean.update_parameters(module)

    return step


def ema(named: Named, switch: Mapping[str, Any]) -> Callable[[], Any]:
    return _averaged(named, switch, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.999))


def swa(named: Named, switch: Mapping[str, Any]) -> Callable[[], Any]:
    return _averaged(named, switch, multi_avg_fn=torch.optim.swa_utils.get_swa_multi_avg_fn())


def groups(named: Named, switch: Mapping[str, Any]) -> Callable[[], Any]:
    """Biases with twice the rate, as groups of parameters."""
    biases = [p for name, p in named if name.endswith("bias")]
    others = [p for name, p in named if not name.endswith("bias")]
    return torch.optim.Adam([{"params": biases, "lr": 2e-3}, {"params": others}], **switch).step


def _matrices(named: Named) -> tuple[list[torch.nn.Parameter], list[torch.nn.Parameter]]:
    parameters = _parameters(named)
    return [p for p in parameters if p.ndim == 2], [p for p in parameters if p.ndim != 2]


def muon(named: Named, switch: Mapping[str, Any]) -> Callable[[], Any]:
    """Torch's Muon takes matrices only; AdamW has the rest."""
    matrices, others = _matrices(named)
    of_matrices, rest = torch.optim.Muon(matrices), torch.optim.AdamW(others, **switch)

    def step() -> None:
        of_matrices.step()
        rest.step()

    return step


def muon_of_pytorch_optimizer(named: Named, switch: Mapping[str, Any]) -> Callable[[], Any]:
    matrices, others = _matrices(named)
    split = [{"params": matrices, "use_muon": True}, {"params": others, "use_muon": False}]
    return import_module("pytorch_optimizer").Muon(split, **switch).step


COMPOSED: dict[tuple[str, str], Build] = {
    ("torch", "clip"): clip,
    ("torch", "cyclicallr"): cyclical,
    ("torch", "ema"): ema,
    ("torch", "swa"): swa,
    ("torch", "partition"): only_adam,
    ("torch", "layerrates"): groups,
    ("torch", "plateau"): only_adam,
    ("torch", "muon"): muon,
    ("pytorch_optimizer", "agc"): agc,
    ("pytorch_optimizer", "lookahead"): lookahead,
    ("pytorch_optimizer", "cyclicallr"): cyclical,
    ("pytorch_optimizer", "muon"): muon_of_pytorch_optimizer,
}
"""By library and our name of the method."""
