"""The fully connected layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from spusk.graph import Tensor
from spusk.nn.checks import require_flag, require_whole
from spusk.nn.layer import Layer
from spusk.nn.parameter import Parameter
from spusk.nn.scope import Scope


@dataclass(frozen=True, repr=False)
class Linear(Layer):
    """An affine map of the last axis: `x @ weight + bias`, (…, n_in) -> (…, n_out).

    Args:
        n_in: the length of the input's last axis, 1 or more.
        n_out: the length of the output's last axis, 1 or more.
        bias: whether a bias is added.

    Its parameters are `weight` [n_in, n_out] and, with a bias, `bias` [n_out].

    Raises:
        InputError: if a width is not a whole number of 1 or more.
        ShapeError: when applied, if the input's last axis is not n_in; it names the layer and its line.

    >>> [(p.name, p.shape) for p in Linear(64, 32).parameters()]
    [('weight', (64, 32)), ('bias', (32,))]
    """

    n_in: int
    n_out: int
    bias: bool = True

    def __post_init__(self) -> None:
        require_whole(self, "n_in", least=1)
        require_whole(self, "n_out", least=1)
        require_flag(self, "bias")

    def parameters(self) -> Iterator[Parameter]:
        yield Parameter("weight", (self.n_in, self.n_out), fan_in=self.n_in, fan_out=self.n_out)
        if self.bias:
            yield Parameter("bias", (self.n_out,), fan_in=self.n_in, kind="bias")

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        if x.shape[-1:] != (self.n_in,):
            raise p.wrong_input(x, f"it needs a last axis of {self.n_in}")
        y = x @ p.weight
        return y + p.bias if self.bias else y
