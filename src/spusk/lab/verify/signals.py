"""Exact results about signals through deep networks at their initial weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import spusk.numpy as snp
from spusk import nn
from spusk.compile import Backend, Program
from spusk.graph import Tensor, backprop, ops
from spusk.graph import input as new_input
from spusk.init import HeNormal, Initialiser, Normal, XavierNormal, initialise
from spusk.lab.verify.finding import Finding
from spusk.nn.scope import Scope
from spusk.streams import stream

HE = 'He, Zhang, Ren & Sun, 2015, "Delving deep into rectifiers", §2.2'
SEEDS, ROWS = 10, 64
Tensors = dict[str, Tensor]


def small_weights(backend: Backend = "native") -> Iterator[Finding]:
    """Weights of standard deviation 0.01 shrink a VGG's gradient 1.7·10⁴ times from conv10 to conv2.

    A 3×3 convolution with d filters hands on √(½·9d)·0.01 of its gradient's size. The layers of a chain of
    matrices with 9d outputs do the same; these have a quarter of that, and twice the deviation.
    """
    filters = (64, 128, 128, 256, 256, 512, 512, 512, 512)
    layers = _rectified([9 * filters[0] // 4, *(9 * d // 4 for d in filters)])

    def sizes(weights: Tensors, x: Tensor, given: Tensor) -> Tensors:
        at = ops.alias(x)
        gradient = backprop(snp.sum(layers(weights, at) * given), at)
        return {"above": _size(given), "below": _size(gradient)}

    found = _mean_ratio(layers, Normal(std=0.02), sizes, backend)
    yield Finding("he-vgg", "gradient at conv10 / at conv2, std 0.01", 1.7e4, found, 0.05, HE)


def variance_per_layer(backend: Backend = "native") -> Iterator[Finding]:
    """With ReLU, Xavier's weights halve the variance of the activations in every layer; He's keep it."""
    depth, width = 12, 256
    layers = _rectified([width] * (depth + 1))

    def sizes(weights: Tensors, x: Tensor, given: Tensor) -> Tensors:
        noted: Tensors = {}
        layers(Scope(weights, outputs=noted), x)
        return {"above": _size(noted[f"{2 * (depth - 1)}"]), "below": _size(noted["0"])}

    for name, init, expected in (("Xavier", XavierNormal(), 0.5), ("He", HeNormal(), 1.0)):
        found = _mean_ratio(layers, init, sizes, backend) ** (2 / (depth - 1))
        yield Finding("he-relu", f"variance that a layer keeps, {name}", expected, found, 0.05, HE)


def _rectified(widths: Sequence[int]) -> nn.Sequential:
    return nn.Sequential(
        *(layer for n, m in pairwise(widths) for layer in (nn.Linear(n, m, bias=False), nn.ReLU()))
    )


def _size(x: Tensor) -> Tensor:
    """The root of the mean square."""
    return snp.sqrt(snp.mean(x * x))


def _mean_ratio(
    layers: nn.Sequential,
    init: Initialiser,
    sizes: Callable[[Tensors, Tensor, Tensor], Tensors],
    backend: Backend,
) -> float:
    """The geometric mean over seeds of the size "above" through that "below".

    Args:
        layers: the network.
        init: of its weights.
        sizes: from weights, inputs and a gradient at the outputs, both of them noise, to the two sizes.
        backend: how the program runs.
    """
    parameters = list(layers.parameters())
    weights = {p.name: new_input(p.name, p.shape) for p in parameters}
    x = new_input("x", (ROWS, parameters[0].shape[0]))
    given = new_input("given", (ROWS, parameters[-1].shape[1]))
    program = Program(sizes(weights, x, given), {**weights, "x": x, "given": given}, backend=backend)
    logs: list[float] = []
    for seed in range(SEEDS):
        values: dict[str, Any] = dict(initialise(parameters, init, seed=seed))
        for name, noise in (("x", x), ("given", given)):
            values[name] = stream(seed, "verify", name).normal(size=noise.shape).astype(np.float32)
        found = program(values)
        logs.append(np.log(float(found["above"]) / float(found["below"])))
    return float(np.exp(np.mean(logs)))
