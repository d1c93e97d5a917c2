"""Muon.

Jordan, Jin, Boza, You, Cesista, Newhouse & Bernstein, 2024, "Muon: An optimizer for hidden layers in neural
networks".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.adam import Adam
from spusk.optim.hyper import Hyper
from spusk.optim.matrices import norm
from spusk.optim.nadam import Nadam
from spusk.optim.objective import Gradients, Objective, joined, some, while_moving
from spusk.optim.optimizer import Optimizer, Parameters
from spusk.optim.ranges import check_choice, check_whole
from spusk.optim.state import State

COEFFICIENTS = {
    "jordan": ((3.4445, -4.7750, 2.0315),),
    "cesista": (
        (4.0848, -6.8946, 2.9270),
        (3.9505, -6.3029, 2.6377),
        (3.7418, -5.5913, 2.3037),
        (2.8769, -3.1427, 1.2046),
        (2.8366, -3.0525, 1.2012),
    ),
}
"""a, b, c of the iterations, of which the last one is repeated."""


@dataclass(frozen=True)
class Muon(Optimizer):
    """Muon: momentum made orthogonal by Newton–Schulz iterations in hidden matrices; AdamW everywhere else.

        B ← μB + (1 − μ)G
        X = G + μ(B − G) with Nesterov's momentum, else B;  X ← X/(‖X‖ + ε)
        five times: A = XXᵀ,  X ← aX + (bA + cA²)X
        W ← (1 − αλ)W − α·√max(1, fan_out/fan_in)·X

    Source: Jordan et al., 2024, "Muon: An optimizer for hidden layers in neural networks", Algorithm 2, with
    the momentum, decay and scale of the authors' code (github.com/KellerJordan/Muon).

    The polynomial's a, b, c = 3.4445, −4.7750, 2.0315 let the slope at 0 be large instead of converging: X
    becomes UΣ'Vᵀ of UΣVᵀ with singular values Σ' between 0.68 and 1.21, for those of X/‖X‖ that are at least
    0.002 (smaller ones end below). It is computed in the parameter's dtype; torch, timm and the authors
    compute in bfloat16. The iterations of an n×m matrix with n ≤ m take
    10n²m + 5n³ multiplications: at most what a batch of 5n examples takes, forward and backward.

    A parameter is orthogonalised if it has two axes or more (all but the last are flattened into one, so
    that kernels of convolutions are matrices, too), none of the words of `exclude` is in its name, and it is
    not the last such parameter of several, which is taken for the network's head. All others are left to
    `rest` with `lr_ratio` times the learning rate. Of torch, optax and Keras, only matrices are
    orthogonalised, and the head is one of them unless the user says otherwise. Optax debiases both parts
    of Nesterov's momentum as its Nadam does. Torch and timm divide by max(‖X‖, ε).

    Args:
        lr: the learning rate α > 0; default 0.02.
        mu: the momentum μ in [0, 1); default 0.95.
        weight_decay: λ ≥ 0, of the matrices; default 0.
        eps: ε ≥ 0; default 1e-7.
        nesterov: False orthogonalises B itself.
        ns_steps: how many iterations, ≥ 1; default 5.
        coefficients: of the polynomial: "jordan", those above, or "cesista", others in each iteration
            (Cesista, You & Jordan, 2025), which end between 0.85 and 1.15 from 0.002 on.
        scale: "spectral", √max(1, fan_out/fan_in); "rms", 0.2·√max(fan_in, fan_out), with which Adam's rates
            fit (Liu et al., 2025, "Muon is scalable for LLM training"); or "none".
        debias: True divides the parts of the momentum by 1 − μᵗ, and B by 1 − μ^(t+1) in Nesterov's (optax).
        average: False does not scale the gradient in the momentum: B ← μB + G, X = G + μB.
        clamp: True divides by max(‖X‖, ε).
        out_first: True for weights (fan_out, fan_in, kernel…), as torch has them, False for (kernel…, fan_in,
            fan_out); None (default) is Spusk's order, and in `spusk.interop.torch` torch's.
        flatten: False leaves parameters of more than two axes to `rest`.
        exclude: words, with commas between them, that leave a parameter to `rest` if they are in its name in
            any case; default "embed,head".
        exclude_last: False orthogonalises the last matrix, too.
        lr_ratio: the learning rate of `rest` is lr_ratio · α, > 0; default 0.015, which is 3e-4 at 0.02.
        rest: the optimizer of all other parameters; default Adam(beta2=0.95, eps=1e-10). Its lr is not used.
            It asks for its gradients itself, as in a `Partition`: a perturbation (SAM) or a curvature leaves
            the matrices where they are.
        rest_decay: decoupled weight decay of all other parameters, w ← (1 − lr_ratio·α·rest_decay)w, ≥ 0;
            default 0.

    >>> import spusk as sp
    >>> rule = Muon(lr=1.0)
    >>> slope = [[3.0, 0.0], [0.0, 1.0]]
    >>> sp.minimize(lambda x: (x * slope).sum(), [[0.0, 0.0], [0.0, 0.0]], rule, steps=1).x.round(2)
    array([[-0.75,  0.  ],
           [ 0.  , -1.13]])
    """

    lr: Hyper = 0.02
    mu: Hyper = 0.95
    weight_decay: Hyper = 0.0
    eps: Hyper = 1e-7
    nesterov: bool = True
    ns_steps: int = 5
    coefficients: Literal["jordan", "cesista"] = "jordan"
    scale: Literal["spectral", "rms", "none"] = "spectral"
    debias: bool = False
    average: bool = True
    clamp: bool = False
    out_first: bool | None = None
    flatten: bool = True
    exclude: str = "embed,head"
    exclude_last: bool = True
    lr_ratio: Hyper = 0.015
    rest: Optimizer = Adam(beta2=0.95, eps=1e-10)  # noqa: RUF009 (immutable)
    rest_decay: Hyper = 0.0

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {
            "lr": 0.001,
            "weight_decay": 0.1,
            "clamp": True,
            "flatten": False,
            "exclude": "",
            "exclude_last": False,
            "lr_ratio": 1.0,
            "rest": Adam(),
            "rest_decay": 0.01,
        },
        "optax": {
            "eps": 1e-8,
            "debias": True,
            "flatten": False,
            "exclude": "",
            "exclude_last": False,
            "lr_ratio": 1.0,
            "rest": Nadam.like("optax", eps=1e-8),
        },
        "keras": {
            "lr": 0.001,
            "weight_decay": 0.004,
            "scale": "rms",
            "average": False,
            "flatten": False,
            "exclude": "embedding",
            "exclude_last": False,
            "lr_ratio": 1.0,
            "rest": Adam.like("keras"),
            "rest_decay": 0.004,
        },
        "timm": {
            "nesterov": False,
            "clamp": True,
            "coefficients": "cesista",
            "scale": "rms",
            "exclude": "",
            "exclude_last": False,
            "lr_ratio": 1.0,
            "rest": Adam(beta2=0.95),
        },
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "coefficients", tuple(COEFFICIENTS))
        check_choice(self, "scale", ("spectral", "rms", "none"))
        check_whole(self, ns_steps=1)
        self.rest.with_lr(0.1)  # an optimizer without a learning rate is told at once

    # --- which parameters -------------------------------------------------------------------------

    def is_matrix(self, name: str, w: Tensor) -> bool:
        """Whether a parameter has the shape and the name of those that are orthogonalised."""
        words = [word.strip().lower() for word in self.exclude.split(",") if word.strip()]
        has_axes = w.ndim == 2 or (w.ndim > 2 and self.flatten)
        return has_axes and not any(word in name.lower() for word in words)

    def split(self, parameters: Parameters) -> tuple[Parameters, Parameters]:
        """The parameters that are orthogonalised, and the rest."""
        matrices = [name for name, w in parameters.items() if self.is_matrix(name, w)]
        if self.exclude_last and len(matrices) > 1:
            with_axes = [name for name, w in parameters.items() if w.ndim >= 2]
            matrices = [name for name in matrices if name != with_axes[-1]]
        return {n: parameters[n] for n in matrices}, {
            n: w for n, w in parameters.items() if n not in matrices
        }

    @property
    def _rest(self) -> Optimizer:
        """The optimizer of all other parameters, with its rate."""
        return self.rest.with_lr(self.lr * self.lr_ratio)

    @property
    def full_batch(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.rest.full_batch

    @property
    def needs_curvature(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.rest.needs_curvature

    def start_all(self, parameters: Parameters) -> dict[str, Any]:
        matrices, rest = self.split(parameters)
        return {"matrices": super().start_all(matrices), "rest": self._rest.start_all(rest)}

    def point_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        _, rest = self.split(parameters)
        at = self._rest.point_all(rest, state["rest"])
        return {name: at.get(name, w) for name, w in parameters.items()}

    def gradients_all(
        self, objective: Objective, parameters: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Gradients:
        matrices, rest = self.split(parameters)
        at = self.point_all(parameters, state)
        here = objective.gradients(at)
        if not rest:
            return here
        asked = self._rest.gradients_all(objective.part(rest, at), rest, state["rest"], t)
        return joined([here.part(matrices), asked], here.loss, list(parameters))

    def evaluated_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        _, rest = self.split(parameters)
        used = self._rest.evaluated_all(rest, state["rest"])
        return {name: used.get(name, w) for name, w in parameters.items()}

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        matrices, rest = self.split(parameters)
        moved, new_state = super().update_all(matrices, gradients, state["matrices"], t)
        rates = self.rates_of(parameters)
        new_rest, rest_state = self._rest.update_all(rest, some(gradients, rest), state["rest"], t)
        moving = self.moving_all(parameters, gradients, state, t)
        for name, w in rest.items():
            lost = rates[name] * self.rest_decay * w
            moved[name] = new_rest[name] - while_moving(moving, name, lost)
        return {name: moved[name] for name in parameters}, {"matrices": new_state, "rest": rest_state}

    def moving_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> dict[str, Tensor]:
        _, rest = self.split(parameters)
        return self._rest.moving_all(rest, some(gradients, rest), state["rest"], t)

    def rates_of(self, parameters: Parameters) -> dict[str, Hyper]:
        _, rest = self.split(parameters)
        rates = super().rates_of(parameters)
        return {name: rate * self.lr_ratio if name in rest else rate for name, rate in rates.items()}

    # --- one matrix -------------------------------------------------------------------------------

    def start(self, w: Tensor) -> State:
        return State(b=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        share = 1 - self.mu if self.average else 1
        b = self.mu * s.b + share * g
        if self.debias:
            ahead = self.mu * (b / (1 - self.mu ** (t + 1))) + share * (g / (1 - self.mu**t))
            x = ahead if self.nesterov else b / (1 - self.mu**t)
        else:
            x = share * g + self.mu * b if self.nesterov else b
        x = snp.reshape(x, (x.shape[0], -1) if self.out_first else (-1, x.shape[-1]))
        x = newton_schulz(x, self.ns_steps, self.eps, self.coefficients, clamp=self.clamp)
        step = self._scale(*x.shape) * x
        decayed = (1 - self.lr * self.weight_decay) * w
        return decayed - self.lr * snp.reshape(step, w.shape), State(b=b)

    def _scale(self, rows: int, columns: int) -> float:
        fan_in, fan_out = (columns, rows) if self.out_first else (rows, columns)
        if self.scale == "none":
            return 1.0
        return (
            0.2 * math.sqrt(max(rows, columns))
            if self.scale == "rms"
            else math.sqrt(max(1, fan_out / fan_in))
        )


def newton_schulz(
    x: Tensor, steps: int, eps: Hyper, coefficients: str = "jordan", *, clamp: bool = False
) -> Tensor:
    """An n×m matrix with the singular vectors of x, and singular values near 1."""
    known = COEFFICIENTS[coefficients]
    is_tall = x.shape[0] > x.shape[1]
    x = x.mT if is_tall else x
    x = x / (snp.maximum(norm(x), eps) if clamp else norm(x) + eps)
    for i in range(steps):
        a, b, c = known[min(i, len(known) - 1)]
        gram = x @ x.mT
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.mT if is_tall else x
