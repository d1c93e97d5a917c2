"""What an optimizer is: hyperparameters, and pure functions from parameter and gradient to the next ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from spusk.errors import InputError, closest
from spusk.graph import Tensor
from spusk.graph.place import Place, users_place
from spusk.optim.hyper import Hyper, check_numbers
from spusk.optim.mistakes import at, check_class, check_made, check_same, check_start, checked_pair, told
from spusk.optim.objective import Gradients, Objective, Parameters
from spusk.optim.ranges import Range
from spusk.optim.rates import Rates
from spusk.optim.state import State


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """Base of every update rule: a frozen dataclass of hyperparameters with two or three pure functions.

    A rule implements `update`, and `start` if it keeps state. The functions see one parameter at a time,
    as Tensors; the hyperparameters they read from `self` may be Tensors too. Rules that need all
    parameters at once (wrappers) override the `…_all` functions instead; those that need another gradient
    than the one at `point`, or second derivatives, override `gradients_all`.

    Class attributes:
        presets: for each library name, the fields that reproduce that library (see `like`).
        lr_grid: the learning rates that a comparison tries by default.
        ranges: which numbers a hyperparameter allows, where its name alone does not tell.
        full_batch: True if the method is defined on the whole training set.
        needs_curvature: True if `update_all` must be given gradients with a curvature.
        needs_names: True if the parameters' names decide what is done with them.

    >>> from dataclasses import dataclass
    >>> import spusk as sp
    >>> from spusk.optim import Hyper
    >>> @dataclass(frozen=True)
    ... class SignDescent(Optimizer):
    ...     lr: Hyper = 0.1
    ...     def update(self, w, g, s, t):
    ...         return w - self.lr * sp.numpy.sign(g), s
    >>> float(sp.minimize(lambda x: (x - 1) ** 2, 0.0, SignDescent(), steps=5).x.round(6))
    0.5
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    ranges: ClassVar[Mapping[str, Range]] = {}
    full_batch: ClassVar[bool] = False
    needs_curvature: ClassVar[bool] = False
    needs_names: ClassVar[bool] = False

    defined_at: ClassVar[Place | None] = None
    """The line of the class statement, of a rule that is not one of this package's own."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.defined_at = None if cls.__module__.startswith("spusk.") else users_place()
        check_class(cls)

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        check_made(cls, named)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        check_numbers(self)

    # --- one parameter ----------------------------------------------------------------------------

    def start(self, w: Tensor) -> State:
        """The state before the first step, for a parameter w."""
        return State()

    def point(self, w: Tensor, s: State) -> Tensor:
        """Where the gradient is taken; w itself for most rules."""
        return w

    def evaluated(self, w: Tensor, s: State) -> Tensor:
        """The weights to use: what is measured, kept and returned; w itself for most rules.

        An average of the weights, for instance, which is not what the next step goes on from.
        """
        return w

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        """The next parameter and state, from the gradient g at `point(w, s)`, in step t = 1, 2, …"""
        name, where = type(self).__name__, at(type(self).defined_at)
        own = [x for x in vars(type(self)) if callable(getattr(self, x)) and not x.startswith("_")]
        hint = closest("update", own, otherwise="none is near")
        meant = f"; it defines {hint.split()[-1][:-1]}, which nothing calls" if hint.endswith("?") else ""
        raise InputError(f"{name} does not define update(w, g, s, t){meant}{where}")

    # --- all parameters ---------------------------------------------------------------------------

    def start_all(self, parameters: Parameters) -> dict[str, Any]:
        """The state before the first step, by parameter name."""
        states: dict[str, Any] = {}
        for name, w in parameters.items():
            with told(self, "start"):
                states[name] = self.for_parameter(name).start(w)
            check_start(self, name, states[name])
        return states

    def point_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        """Where the gradient is taken, by parameter name."""
        with told(self, "point"):
            points = {n: self.for_parameter(n).point(w, state[n]) for n, w in parameters.items()}
        check_same(self, "point", parameters, points, "parameter")
        return points

    def gradients_all(
        self, objective: Objective, parameters: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Gradients:
        """The gradients that `update_all` is given in step t: those at `point_all`, unless overridden.

        Args:
            objective: the loss as a function of the parameters; it may be asked at several points.
            parameters: by name.
            state: as `update_all` will see it.
            t: the number of the step.

        Returns:
            Gradients by parameter name, with the loss that is reported and perhaps a curvature.
        """
        return objective.gradients(self.point_all(parameters, state))

    def evaluated_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        """The weights to use, by parameter name: what is measured, kept and returned."""
        with told(self, "evaluated"):
            found = {n: self.for_parameter(n).evaluated(w, state[n]) for n, w in parameters.items()}
        check_same(self, "evaluated", parameters, found, "parameter")
        return found

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The next parameters and states, by parameter name, from what `gradients_all` has returned."""
        new_parameters: dict[str, Tensor] = {}
        new_state: dict[str, Any] = {}
        for name, w in parameters.items():
            with told(self, "update"):
                result: Any = self.for_parameter(name).update(w, gradients[name], state[name], t)
            pair = checked_pair(self, "update", name, w, state[name], result)
            new_parameters[name], new_state[name] = pair
        return new_parameters, new_state

    def moving_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> dict[str, Tensor]:
        """Whether `update_all` takes a step or passes it over, a bool scalar by parameter name.

        Parameters whose every step is taken, which are all of most rules, are left out.
        """
        return {}

    # --- variants ---------------------------------------------------------------------------------

    @classmethod
    def like(cls, library: str, *values: Any, **hyperparameters: Any) -> Self:
        """The method as a known library computes it.

        Args:
            library: one of the class's presets, e.g. "torch", "optax", "keras".
            values, hyperparameters: fields to set besides, as when the class is called, e.g. `lr=0.01`, or
                what a wrapper is around.

        Raises:
            InputError: if the class has no such preset.

        >>> from spusk.optim import Adagrad
        >>> Adagrad.like("torch", lr=0.1).eps
        1e-10
        >>> from spusk.optim import EMA
        >>> EMA.like("torch", Adagrad(lr=0.1)).inner.lr
        0.1
        """
        if not isinstance(library, str) or library not in cls.presets:  # pyright: ignore[reportUnnecessaryIsInstance]
            hint = closest(str(library), cls.presets) if cls.presets else "; it has none"
            raise InputError(f"{cls.__name__} has no preset {library!r}{hint}")
        by_place = [f.name for f in dataclasses.fields(cls) if f.init and not f.kw_only][: len(values)]
        preset = {name: x for name, x in cls.presets[library].items() if name not in by_place}
        return cls(*values, **{**preset, **hyperparameters})

    def with_lr(self, lr: Hyper) -> Self:
        """The same rule with another learning rate."""
        if "lr" not in {f.name for f in dataclasses.fields(self)}:
            told = "; write lr: Hyper = … in a class with @dataclass(frozen=True)"
            hint = told if hasattr(self, "lr") else ""
            raise InputError(f"{type(self).__name__} has no learning rate called lr{hint}")
        return dataclasses.replace(self, lr=lr)  # pyright: ignore[reportCallIssue]

    def for_parameter(self, name: str) -> Self:
        """The rule as it is for one parameter: itself, or with that parameter's rate within `LayerRates`."""
        lr: Any = getattr(self, "lr", None)
        return self.with_lr(lr.by_name[name]) if isinstance(lr, Rates) else self

    def rates_of(self, parameters: Parameters) -> dict[str, Hyper]:
        """The learning rate of each parameter by its name; None where the rule has none."""
        return {name: getattr(self.for_parameter(name), "lr", None) for name in parameters}

    def trained(self, names: Iterable[str]) -> list[str]:
        """Which of the parameters the rule may change, by name; the others it leaves alone."""
        return list(names)

    @property
    def label(self) -> str:
        """How tables and the command line name the method."""
        return type(self).__name__.lower()
