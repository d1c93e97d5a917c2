"""What a layer sees while it is applied: its own parameters, and the run it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from spusk.errors import InputError, ShapeError, closest
from spusk.graph import Tensor, as_tensor, constant
from spusk.graph.draws import draw_bits
from spusk.graph.dtypes import UINT32

if TYPE_CHECKING:
    from spusk.nn.layer import Layer
    from spusk.nn.parameter import Parameter


class Scope:
    """The `p` that a layer's `apply` receives: parameters as attributes, e.g. `p.weight`.

    A parameter cannot be named like one of the attributes below.

    Args:
        given: the network's parameters, arrays or Tensors by full name.
        path: of the layer in the network, e.g. `"2.0"`; empty for the network itself.
        training: whether this is a training step.
        key: uint32 [2], the run's random key.
        step: the number of the training step.
        outputs: where every layer's output is noted by its path, if wanted.
        layer: whose parameters these are.
    """

    def __init__(
        self,
        given: Mapping[str, Any],
        *,
        path: str = "",
        training: bool = False,
        key: Any = None,
        step: Any = None,
        outputs: dict[str, Tensor] | None = None,
        layer: Layer | None = None,
    ) -> None:
        self.path = path
        self.training = training
        self._given = given
        self._key = key
        self._step = step
        self._outputs = outputs
        self._layer = layer

    def child(self, name: str) -> Scope:
        """The scope of a layer inside this one."""
        return self._with(path=f"{self.path}.{name}" if self.path else name, layer=None)

    def of(self, layer: Layer) -> Scope:
        """This scope, serving the given layer."""
        return self._with(path=self.path, layer=layer)

    def _with(self, path: str, layer: Layer | None) -> Scope:
        return Scope(
            self._given,
            path=path,
            training=self.training,
            key=self._key,
            step=self._step,
            outputs=self._outputs,
            layer=layer,
        )

    def record(self, output: Tensor) -> None:
        """Note the layer's output, if the run keeps notes."""
        if self._outputs is not None:
            self._outputs[self.path] = output

    # --- parameters ---------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("_"):
            raise AttributeError(name)
        declared = self._declared.get(name)
        if self._layer is not None and declared is None:
            known = ", ".join(self._declared) or "none"
            raise AttributeError(f"{self.title} has no parameter {name!r}; it declares: {known}")
        full_name = f"{self.path}.{name}" if self.path else name
        if full_name not in self._given:
            raise InputError(self._missing(full_name, declared))
        value = as_tensor(self._given[full_name])
        if declared is not None and value.shape != declared.shape:
            raise ShapeError(
                f"{self.title} was given {full_name!r} of shape {value.shape}; "
                f"it needs {declared.shape}{self._place}"
            )
        return value

    @cached_property
    def _declared(self) -> dict[str, Parameter]:
        return {} if self._layer is None else {p.name: p for p in self._layer.parameters()}

    def _missing(self, full_name: str, declared: Parameter | None) -> str:
        shape = "" if declared is None else f" of shape {declared.shape}"
        given = closest(full_name, self._given) if self._given else "; no parameters were given"
        return f"{self.title} needs a parameter {full_name!r}{shape}, which is missing{given}{self._place}"

    # --- random numbers -----------------------------------------------------------------------------

    def random_bits(self, shape: Sequence[int], purpose: str = "") -> Tensor:
        """Uniform 32-bit words, uint32: others for every layer, step and purpose, the same on every backend.

        Args:
            shape: of the result.
            purpose: tells apart several draws of one layer.

        Raises:
            InputError: if the network was called without `key` or `step`.
        """
        if self._key is None or self._step is None:
            missing = "key" if self._key is None else "step"
            raise InputError(
                f"{self.title} draws random numbers in training; call the network with {missing}=…"
                f"{self._place}"
            )
        key = self._key if isinstance(self._key, Tensor) else constant(self._key, UINT32)
        return draw_bits(key, self._step, f"{self.path}/{purpose}" if purpose else self.path, shape)

    # --- sentences ----------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """The layer in a sentence, e.g. `Linear(64, 32) (layer 0)`."""
        if self._layer is None:
            return f"layer {self.path}" if self.path else "the network"
        return f"{self._layer!r} (layer {self.path})" if self.path else repr(self._layer)

    def wrong_input(self, x: Tensor, needs: str) -> ShapeError:
        """The error to raise for an input of the wrong shape.

        Args:
            x: the input.
            needs: how the sentence goes on, e.g. `"it needs a last axis of 64"`.
        """
        return ShapeError(f"{self.title} got an input of shape {x.shape}; {needs}{self._place}")

    @property
    def _place(self) -> str:
        return "" if self._layer is None else f" ({self._layer.place})"
