"""What a wrapper is: an optimizer around another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer, Parameters


@dataclass(frozen=True)
class Wrapper(Optimizer):
    """Base of optimizers that hold another one in `inner`; as it stands it does what `inner` does.

    The learning rate, the grid of rates to compare and the use of the full batch are those of `inner`.
    """

    inner: Optimizer

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.inner, Optimizer):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(
                f"{type(self).__name__}(inner={self.inner!r}): inner must be an optimizer, such as Adam()"
            )

    @property
    def lr_grid(self) -> tuple[float, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.lr_grid

    @property
    def full_batch(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.full_batch

    def with_lr(self, lr: Hyper) -> Self:
        """The same wrapper around `inner` with another learning rate."""
        return replace(self, inner=self.inner.with_lr(lr))

    def start_all(self, parameters: Parameters) -> dict[str, Any]:
        return self.inner.start_all(parameters)

    def point_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        return self.inner.point_all(parameters, state)

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        return self.inner.update_all(parameters, gradients, state, t)
