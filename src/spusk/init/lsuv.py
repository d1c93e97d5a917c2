"""Layer-sequential unit-variance initialisation, which looks at data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spusk.errors import InputError
from spusk.init.initialiser import Initialiser, require_positive
from spusk.init.orthogonal import Orthogonal

if TYPE_CHECKING:
    from spusk.nn import Layer
    from spusk.nn.parameter import Parameter

ROWS = 512
"""How many examples are looked at, at most."""


@dataclass(frozen=True)
class LSUV(Initialiser):
    """Layer-sequential unit variance: orthogonal weights, scaled until each layer's outputs have variance 1.

        W ← orthogonal;  then layer by layer:
        while |Var(B) − target| ≥ tol:  W ← W·√(target/Var(B)),  B = the layer's outputs for a batch

    Source: Mishkin & Matas, 2015, "All you need is a good init", Algorithm 1.

    A layer's outputs are those of the layer that the weight belongs to, before any activation that is a layer
    of its own; all of them together have one variance. `sp.train` shows it up to 512 training examples, drawn
    by the seed; `initialise` alone has no data, and gives the orthogonal weights. Tolerance and attempts are
    those of the authors' code for PyTorch, which compares standard deviations instead of variances;
    theirs for Caffe has 0.02 and 20.

    Args:
        target: the variance to reach, above 0; default 1.
        tol: how far it may stay away, above 0; default 0.1.
        attempts: how often a layer is scaled at most, 1 or more; default 10. Without a bias once is enough.

    Raises:
        InputError: if an argument is not allowed, or a parameter has fewer than two axes; in training, if a
            layer's outputs have no variance or are not finite.

    >>> from spusk import data, nn
    >>> import spusk as sp
    >>> net = nn.Sequential(nn.Linear(4, 50), nn.ReLU(), nn.Linear(50, 3))
    >>> split = data.iris().split(0.2)
    >>> weights = sp.train(net, split, init="lsuv", epochs=0, progress=False).parameters
    >>> bool(abs(net(weights, split.train_x).numpy().var() - 1) < 0.1)
    True
    """

    target: float = 1.0
    tol: float = 0.1
    attempts: int = 10

    def __post_init__(self) -> None:
        require_positive(self, "target")
        require_positive(self, "tol")
        if not isinstance(self.attempts, int) or isinstance(self.attempts, bool) or self.attempts < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"LSUV got attempts={self.attempts!r}; it needs a whole number, 1 or more")

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        return Orthogonal().sample(parameter, rng)

    def scaled(
        self, net: Layer, weights: Mapping[str, NDArray[Any]], name: str, x: NDArray[Any]
    ) -> NDArray[Any]:
        """One parameter's values, scaled so that its layer's outputs have the target variance.

        Args:
            net: the network.
            weights: all of its parameters by name, with those of the layers before scaled already.
            name: of the parameter.
            x: a batch of examples, as the network takes them.
        """
        values = weights[name]
        layer = name.rpartition(".")[0]
        for _ in range(self.attempts):
            variance = _variance(net, {**weights, name: values}, layer, x)
            if abs(variance - self.target) < self.tol:
                break
            if not 0 < variance < math.inf:
                raise InputError(
                    f"LSUV cannot scale {name!r}: the outputs of its layer have variance {variance:g} for "
                    f"{len(x)} training examples; choose another initialiser for it"
                )
            values = (values * math.sqrt(self.target / variance)).astype(values.dtype)
        return values


def _variance(net: Layer, weights: Mapping[str, Any], layer: str, x: NDArray[Any]) -> float:
    """The variance of a layer's outputs over all examples and units."""
    from spusk.nn.scope import Scope  # which imports a good deal

    outputs: dict[str, Any] = {}
    net(Scope(weights, outputs=outputs), x)
    if layer not in outputs:
        raise InputError(
            f"LSUV finds no layer {layer!r} that is called; the network calls {', '.join(outputs)}"
        )
    with np.errstate(all="ignore"):  # the sentence above says what is not finite
        return float(np.var(outputs[layer].numpy().astype(np.float64)))
