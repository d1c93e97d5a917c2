"""Different optimizers for different parameters, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.adam import Adam
from spusk.optim.hyper import Hyper
from spusk.optim.objective import Gradients, Objective, Parameters, joined, some
from spusk.optim.optimizer import Optimizer
from spusk.optim.wrappers.patterns import check_each_fits, first_fit

Rules = Mapping[str, Optimizer] | tuple[tuple[str, Optimizer], ...]


@dataclass(frozen=True)
class Partition(Optimizer):
    """A partition of the parameters: each is trained by the optimizer that its name belongs to.

        w ← rule(w, ∂L/∂w),  rule = the one whose pattern fits the name of w

    Source: Paszke et al., 2019, "PyTorch: An imperative style, high-performance deep learning library", whose
    parameter groups are this.

    Patterns are exact names or globs (`*`, `?`, `[…]`; `*` crosses dots). An exact name beats any glob, and
    an earlier glob beats a later one, as for initialisers. Each rule sees its own parameters only: a global
    norm is that of its part, and a perturbation (SAM) or a curvature leaves the others where they are.

    Args:
        rules: optimizers by pattern, a mapping or pairs; default Adam() for everything. A parameter that no
            pattern fits is an error, and so is a pattern that fits no parameter.

    >>> from spusk import optim
    >>> rule = Partition({"*bias": optim.SGD(lr=0.1), "*": optim.Adam(lr=0.01)})
    >>> rule.rule_of("0.bias")
    SGD(lr=0.1)
    >>> optim.hyper.hyperparameters(rule)["rules.*bias.lr"]
    0.1
    """

    rules: Rules = (("*", Adam()),)

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"torch": {}, "optax": {}}

    def __post_init__(self) -> None:
        pairs: Any = tuple(self.rules.items()) if isinstance(self.rules, Mapping) else tuple(self.rules)
        object.__setattr__(self, "rules", pairs)  # which are hashable, as a mapping is not
        if not pairs:
            raise InputError("Partition(rules={}) has no rules; give an optimizer for each pattern")
        for pair in pairs:
            if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):  # pyright: ignore[reportUnknownArgumentType]
                raise InputError(
                    f"Partition got {pair!r} among its rules; it needs pairs (pattern, optimizer)"
                )
            if not isinstance(pair[1], Optimizer):
                raise InputError(f"Partition got {pair[1]!r} for {pair[0]!r}; it must be an optimizer")
        if len({pattern for pattern, _ in pairs}) < len(pairs):
            raise InputError("Partition got one pattern twice; each needs a rule of its own")

    # --- who trains what --------------------------------------------------------------------------

    @property
    def by_pattern(self) -> dict[str, Optimizer]:
        """The rules by pattern."""
        return dict(self.rules)

    def rule_of(self, name: str) -> Optimizer:
        """The optimizer that a parameter's name belongs to."""
        return self.by_pattern[self._pattern_of(name)]

    def _pattern_of(self, name: str) -> str:
        pattern = first_fit(name, self.by_pattern)
        if pattern is None:
            raise InputError(
                f"Partition has no rule for parameter {name!r}; its patterns are "
                f"{', '.join(map(repr, self.by_pattern))}; add one, such as '*'"
            )
        return pattern

    def parts(self, names: Iterable[str]) -> dict[str, list[str]]:
        """The names that belong to each pattern; every pattern must have some."""
        found: dict[str, list[str]] = {pattern: [] for pattern in self.by_pattern}
        names = list(names)
        for name in names:
            found[self._pattern_of(name)].append(name)
        check_each_fits("Partition", self.by_pattern, names)
        return {pattern: mine for pattern, mine in found.items() if mine}

    def map_rules(self, f: Callable[[Optimizer], Optimizer]) -> Self:
        """The same partition with f of each rule."""
        return replace(self, rules=tuple((pattern, f(rule)) for pattern, rule in self.by_pattern.items()))

    # --- as any optimizer -------------------------------------------------------------------------

    @property
    def lr_grid(self) -> tuple[float, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return next(iter(self.by_pattern.values())).lr_grid

    @property
    def full_batch(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return any(rule.full_batch for rule in self.by_pattern.values())

    @property
    def needs_curvature(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return any(rule.needs_curvature for rule in self.by_pattern.values())

    @property
    def needs_names(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return any(pattern != "*" or rule.needs_names for pattern, rule in self.by_pattern.items())

    def with_lr(self, lr: Hyper) -> Self:
        """The same rules, all with this learning rate."""
        return self.map_rules(lambda rule: rule.with_lr(lr))

    def rates_of(self, parameters: Parameters) -> dict[str, Hyper]:
        found: dict[str, Hyper] = {}
        for pattern, mine in self.parts(parameters).items():
            found |= self.by_pattern[pattern].rates_of(some(parameters, mine))
        return found

    def trained(self, names: Iterable[str]) -> list[str]:
        names = list(names)
        found = {
            x for pattern, mine in self.parts(names).items() for x in self.by_pattern[pattern].trained(mine)
        }
        return [name for name in names if name in found]

    def start_all(self, parameters: Parameters) -> dict[str, Any]:
        rules = self.by_pattern
        return {
            pattern: rules[pattern].start_all(some(parameters, names))
            for pattern, names in self.parts(parameters).items()
        }

    def point_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        return self._joined(parameters, lambda rule, w, pattern: rule.point_all(w, state[pattern]))

    def evaluated_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        return self._joined(parameters, lambda rule, w, pattern: rule.evaluated_all(w, state[pattern]))

    def gradients_all(
        self, objective: Objective, parameters: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Gradients:
        at = self.point_all(parameters, state)
        rules = self.by_pattern
        found = [
            rules[pattern].gradients_all(
                objective.part(names, at), some(parameters, names), state[pattern], t
            )
            for pattern, names in self.parts(parameters).items()
        ]
        return joined(found, objective.gradients(at).loss, list(parameters))

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        new: dict[str, Tensor] = {}
        after: dict[str, Any] = {}
        rules = self.by_pattern
        for pattern, names in self.parts(parameters).items():
            mine = some(gradients, names)
            w, after[pattern] = rules[pattern].update_all(some(parameters, names), mine, state[pattern], t)
            new |= w
        return {name: new[name] for name in parameters}, after

    def moving_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for pattern, names in self.parts(parameters).items():
            w, g = some(parameters, names), some(gradients, names)
            found |= self.by_pattern[pattern].moving_all(w, g, state[pattern], t)
        return found

    def _joined(
        self, parameters: Parameters, f: Callable[[Optimizer, Parameters, str], Parameters]
    ) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for pattern, names in self.parts(parameters).items():
            found |= f(self.by_pattern[pattern], some(parameters, names), pattern)
        return {name: found[name] for name in parameters}
