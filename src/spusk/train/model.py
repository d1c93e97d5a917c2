"""A trained network: predicts, and is saved and loaded without pickles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.data import Scaling
from spusk.data.schema import Schema
from spusk.errors import InputError
from spusk.files import write_whole
from spusk.nn import Layer
from spusk.nn.config import from_config, to_config
from spusk.train.evaluate import Evaluation
from spusk.train.metrics import predicted_classes

FORMAT = 1


@dataclass(frozen=True)
class Model:
    """A network with its weights, and the scaling that its inputs and targets went through.

    Attributes:
        net: the architecture.
        parameters: the weights by name, e.g. `"0.weight"`.
        scaling: how raw inputs become the network's inputs, fitted on the training part.
        task: "classification" or "regression".
        classes: the names of the classes, in the order of their numbers.
        loss: the name of the loss it was trained with.
        schema: of the table that it was trained on, if it was one.
    """

    net: Layer
    parameters: Mapping[str, NDArray[Any]]
    scaling: Scaling
    task: str
    classes: tuple[str, ...] = ()
    loss: str = ""
    schema: Schema | None = None

    def __repr__(self) -> str:
        count = sum(w.size for w in self.parameters.values())
        kind = f"classification into {len(self.classes)} classes" if self.classes else self.task
        return f"Model({kind}, {count:,} parameters, {self.net!r})"

    def outputs(self, x: Any) -> NDArray[Any]:
        """The network's raw outputs (logits, or the standardised regression) for raw inputs x [n, …]."""
        dtype = next((w.dtype for w in self.parameters.values()), np.dtype(np.float32))
        x = np.asarray(x)
        if x.dtype.kind not in "biuf":
            hint = "; for the rows of a table use predict_table(file)" if self.schema else ""
            raise InputError(f"x holds {x.dtype.name} values; a network needs numbers{hint}")
        scaled = self.scaling.transform(x).astype(dtype)
        return Evaluation(self.net).outputs(self.parameters, scaled)

    def predict(self, x: Any) -> NDArray[Any]:
        """Predictions for raw inputs x [n, …]: class numbers [n] (named by `classes`), or target values.

        Raises:
            ShapeError: if x has another width than the network; the sentence names the layer.
        """
        outputs = self.outputs(x)
        if self.task == "classification":
            return predicted_classes(outputs)
        values = outputs[..., 0] if outputs.ndim > 1 and outputs.shape[-1] == 1 else outputs
        return self.scaling.restore_target(values)

    def predict_table(self, path: str | Path) -> NDArray[Any]:
        """Predictions for a table like the one that the model was trained on, with or without its target.

        Args:
            path: a CSV, Parquet or JSON file; its columns are found by name, in any order.

        Returns:
            [n] class names, or target values, one for each row.

        Raises:
            InputError: if the model was not trained on a table, or the file lacks a column or holds a value
                that the model does not know; the sentence names row and column.
        """
        predicted = self.predict(self.read_table(path))
        return np.array(self.classes)[predicted] if self.task == "classification" else predicted

    def read_table(self, path: str | Path) -> NDArray[np.float64]:
        """The raw inputs [n, features] for `predict` and `predict_proba` that a table holds."""
        if self.schema is None:
            raise InputError("this model was not trained on a table, so it knows no columns; use predict(x)")
        return self.schema.read(path)

    def predict_proba(self, x: Any) -> NDArray[Any]:
        """Class probabilities [n, C] for raw inputs x [n, …].

        Raises:
            InputError: if the model is a regression.
        """
        if self.task != "classification":
            raise InputError("predict_proba needs a classification; this model is a regression")
        outputs = self.outputs(x).astype(np.float64)
        if outputs.ndim == 1 or outputs.shape[-1] == 1:
            score = outputs.reshape(-1, 1)
            outputs = np.concatenate([np.zeros_like(score), score], axis=1)
        exponents = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
        return exponents / exponents.sum(axis=-1, keepdims=True)

    def save(self, path: str | Path) -> Path:
        """Write weights, scaling and architecture to one safetensors file, whole or not at all.

        The columns of a table that it was trained on are in the file too.
        A network that holds a `Lambda` cannot be described in a file: its weights are saved, and loading
        them needs the network (`sp.load(path, net=...)`).
        """
        from safetensors.numpy import save

        try:
            config = to_config(self.net)
        except InputError:
            config = None
        described: dict[str, Any] = {
            "format": FORMAT,
            "net": config,
            "task": self.task,
            "classes": list(self.classes),
            "loss": self.loss,
            "table": None if self.schema is None else self.schema.to_dict(),
        }
        arrays = {f"parameters/{k}": np.ascontiguousarray(w) for k, w in self.parameters.items()}
        for name, value in vars(self.scaling).items():
            arrays[f"scaling/{name}"] = np.ascontiguousarray(value)
        return write_whole(path, save(arrays, metadata={"spusk": json.dumps(described)}))


def load(path: str | Path, net: Layer | None = None) -> Model:
    """Read a model that `save` wrote.

    Args:
        path: the safetensors file.
        net: the architecture, needed only if it holds a `Lambda`.

    Raises:
        InputError: if the file is missing, is not a Spusk model, or does not fit `net`.
    """
    from safetensors import SafetensorError, safe_open

    file = Path(path)
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    try:
        opening: Any = safe_open(file, framework="numpy")
        with opening as opened:
            metadata: dict[str, str] = opened.metadata() or {}
            arrays: dict[str, NDArray[Any]] = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(f"{file}: not a safetensors file ({error})") from None
    if "spusk" not in metadata:
        raise InputError(f"{file}: holds no Spusk model (its metadata has no entry 'spusk')")
    described: dict[str, Any] = json.loads(metadata["spusk"])
    if described.get("format") != FORMAT:
        raise InputError(f"{file}: has format {described.get('format')}; this version reads format {FORMAT}")
    if net is None and described["net"] is None:
        raise InputError(
            f"{file}: its network holds a Lambda, so load needs the network: load(path, net=...)"
        )
    architecture = net if net is not None else from_config(described["net"])
    parameters = {k.removeprefix("parameters/"): v for k, v in arrays.items() if k.startswith("parameters/")}
    for p in architecture.parameters():
        found = parameters.get(p.name)
        if found is None or found.shape != p.shape:
            shape = "missing" if found is None else f"of shape {found.shape}"
            raise InputError(f"{file}: parameter {p.name!r} is {shape}; the network needs {p.shape}")
    scaling = {k.removeprefix("scaling/"): v for k, v in arrays.items() if k.startswith("scaling/")}
    return Model(
        architecture,
        parameters,
        Scaling(**scaling),
        described["task"],
        tuple(described["classes"]),
        described["loss"],
        _schema(file, described.get("table")),
    )


def _schema(file: Path, described: Any) -> Schema | None:
    try:
        return None if described is None else Schema.from_dict(described)
    except (KeyError, TypeError):
        raise InputError(f"{file}: its description of the table's columns cannot be read") from None
