"""Training some of the parameters only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.errors import InputError
from spusk.graph import Tensor, constant
from spusk.optim.adam import Adam
from spusk.optim.hyper import Hyper
from spusk.optim.objective import Gradients, Objective, Parameters, some
from spusk.optim.optimizer import Optimizer
from spusk.optim.wrappers.patterns import Patterns, check_each_fits, check_patterns, fits
from spusk.optim.wrappers.wrapper import Wrapper


@dataclass(frozen=True)
class Mask(Wrapper):
    """A mask: some parameters are trained by an optimizer, and all others are left alone.

        w ← inner(w, ∂L/∂w)  if the name of w fits,  else w

    Source: Howard & Ruder, 2018, "Universal language model fine-tuning for text classification", section 3.3,
    who freeze all layers but the last at first.

    What does not fit keeps its value to the bit; it has no state and no share in norms, its gradient is not
    computed, and wrappers around see a gradient of 0 for it and do not decay it. (Optax's `masked` hands the
    raw gradient on for it, which is then added to the parameter.)

    Args:
        inner: the optimizer of what fits; default Adam().
        only: names or globs (`*` crosses dots) of the parameters to train; default all.
        but: names or globs of those to leave alone all the same; default none.

    >>> from spusk import optim
    >>> Mask(optim.Adam(), but="*bias").chosen(["0.weight", "0.bias", "2.weight"])
    ['0.weight', '2.weight']
    """

    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)
    only: Patterns = "*"
    but: Patterns = ()

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        check_patterns(self, "only", "but")

    def chosen(self, names: Iterable[str]) -> list[str]:
        """The names of the parameters that are trained.

        Raises:
            InputError: if a pattern fits none of the names, or nothing is left to train.
        """
        names = list(names)
        for patterns in (self.only, self.but):
            check_each_fits("Mask", (patterns,) if isinstance(patterns, str) else patterns, names)
        found = [name for name in names if fits(name, self.only) and not fits(name, self.but)]
        if not found:
            raise InputError(f"Mask(only={self.only!r}, but={self.but!r}) leaves no parameter to train")
        return found

    def trained(self, names: Iterable[str]) -> list[str]:
        return self.inner.trained(self.chosen(names))

    @property
    def needs_names(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.only != "*" or bool(self.but) or self.inner.needs_names

    def rates_of(self, parameters: Parameters) -> dict[str, Hyper]:
        rates = self.inner.rates_of(self._chosen(parameters))
        return {name: rates.get(name) for name in parameters}

    def start_all(self, parameters: Parameters) -> dict[str, Any]:
        return self.inner.start_all(self._chosen(parameters))

    def point_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        return {**parameters, **self.inner.point_all(self._chosen(parameters), state)}

    def evaluated_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        return {**parameters, **self.inner.evaluated_all(self._chosen(parameters), state)}

    def gradients_all(
        self, objective: Objective, parameters: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Gradients:
        chosen = self._chosen(parameters)
        at = {**parameters, **self.inner.point_all(chosen, state)}
        found = self.inner.gradients_all(objective.part(chosen, at), chosen, state, t)
        nothing = {name: snp.zeros_like(w) for name, w in parameters.items() if name not in chosen}
        return found.replaced(
            {name: nothing[name] if name in nothing else found[name] for name in parameters}
        )

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        chosen = self._chosen(parameters)
        mine = some(gradients, chosen)
        new, after = self.inner.update_all(chosen, mine, state, t)
        return {**parameters, **new}, after

    def moving_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> dict[str, Tensor]:
        chosen = self._chosen(parameters)
        moving = self.inner.moving_all(chosen, some(gradients, chosen), state, t)
        return moving | {name: constant(False) for name in parameters if name not in chosen}

    def _chosen(self, parameters: Parameters) -> Parameters:
        return some(parameters, self.chosen(parameters))
