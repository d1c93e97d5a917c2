"""What SOURCE stands for: data, and a network that fits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spusk import data as datasets
from spusk import nn
from spusk.cli import parse
from spusk.errors import InputError, closest
from spusk.own_file import run_file

ACTIVATIONS: dict[str, Callable[[], nn.Layer]] = {
    kind.__name__.lower(): kind
    for kind in (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Softplus)
}
FOR_REGRESSION = ("mean_squared", "mean_absolute", "huber")


@dataclass(frozen=True)
class Work:
    """A network, its data and its loss (None: the usual one)."""

    net: nn.Layer
    data: Any
    loss: Any
    input_shape: tuple[int, ...] | None


def load(
    source: str,
    hidden: str | None,
    activation: str | None,
    loss: str | None,
    target: str | None,
    missing: Any,
    task: Any,
    ignore: list[str],
) -> Work:
    """Data by name or from a file, and a network of the asked hidden layers; or all from a Python file."""
    chosen = None if loss is None else nn.losses.get(loss)  # a mistake in its name is told first
    if source.endswith(".py"):
        given = {"--hidden": hidden, "--activation": activation, "--target": target, "--missing": missing,
                 "--task": task, "--ignore": ignore or None}  # fmt: skip
        for option, value in given.items():
            if value is not None:
                raise InputError(f"{source} brings its own network and data; {option} is for other sources")
        return _from_python(source, chosen)
    activation = "relu" if activation is None else activation
    name = activation.lower().replace("_", "").replace("-", "")
    if name not in ACTIVATIONS:
        raise InputError(f"unknown activation {activation!r}{closest(activation, ACTIVATIONS)}")
    widths = parse.widths("32" if hidden is None else hidden)
    name_of_loss = None if chosen is None else nn.losses.name_of(chosen)
    if task is None and name_of_loss in FOR_REGRESSION and target is not None:
        task = "regression"
    dataset = datasets.load(source, target=target, missing=missing, task=task, ignore=tuple(ignore))
    net = perceptron(dataset.n_features, widths, _outputs(dataset, name_of_loss), ACTIVATIONS[name])
    return Work(net, dataset, chosen, (dataset.n_features,))


def perceptron(n_in: int, hidden: list[int], n_out: int, activation: Callable[[], nn.Layer]) -> nn.Sequential:
    """A multilayer perceptron: linear layers with an activation between them."""
    layers: list[nn.Layer] = []
    for width in hidden:
        layers += [nn.Linear(n_in, width), activation()]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, n_out))


def _outputs(dataset: datasets.Dataset, loss: str | None) -> int:
    """How many outputs the data and the loss need."""
    if dataset.task == "regression":
        if loss is not None and loss not in FOR_REGRESSION:
            raise InputError(f"{loss} needs classes; {dataset.name} has a numeric target (try mean_squared)")
        return 1 if dataset.y.ndim == 1 else dataset.y.shape[-1]
    if loss in FOR_REGRESSION:
        raise InputError(f"{loss} needs a numeric target; {dataset.name} has {dataset.n_classes} classes")
    if loss == "binary_cross_entropy":
        if dataset.n_classes != 2:
            raise InputError(f"{loss} needs two classes; {dataset.name} has {dataset.n_classes}")
        return 1
    return dataset.n_classes


def _from_python(source: str, loss: nn.losses.Loss | None) -> Work:
    """Run a file that defines `net`, `data` and perhaps `loss`."""
    defined = run_file(source)
    for name in ("net", "data"):
        if name not in defined:
            raise InputError(f"{source} does not define {name!r}; it needs net, data and perhaps loss")
    net: Any = defined["net"]
    if not isinstance(net, nn.Layer):
        raise InputError(f"{source}: net is a {type(net).__name__}; it must be a layer, e.g. nn.Sequential")
    data: Any = defined["data"]
    return Work(net, data, loss or defined.get("loss"), _input_shape(data))


def _input_shape(data: Any) -> tuple[int, ...] | None:
    """The shape of one example; None where the data will be refused anyway."""
    inputs: Any = getattr(data, "train_x", getattr(data, "x", None))
    if isinstance(data, tuple) and data:
        inputs = data[0]  # pyright: ignore[reportUnknownVariableType]
    shape: Any = getattr(inputs, "shape", None)  # pyright: ignore[reportUnknownArgumentType]
    return None if shape is None else tuple(shape[1:])
