"""What an initialiser is, and the checks of arguments and parameters that all of them share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from spusk.errors import InputError

if TYPE_CHECKING:
    from spusk.nn.parameter import Parameter


@dataclass(frozen=True)
class Initialiser(ABC):
    """A law that a parameter's first values are drawn from.

    To write one, derive a frozen dataclass and give it `sample`; it then works wherever a built-in does.

    >>> from spusk.nn.parameter import Parameter
    >>> @dataclass(frozen=True)
    ... class Signs(Initialiser):
    ...     def sample(self, parameter, rng):
    ...         return rng.choice([-1.0, 1.0], size=parameter.shape)
    >>> Signs().sample(Parameter("0.weight", (3, 2)), np.random.default_rng(0)).shape
    (3, 2)
    """

    biases: ClassVar[bool] = False
    """Whether the law covers biases too; if not, biases get zeros unless a pattern names them."""

    @abstractmethod
    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw the first values of one parameter.

        Args:
            parameter: the parameter's name, shape and fans.
            rng: where the random numbers come from.

        Returns:
            float64, of shape `parameter.shape`.

        Raises:
            InputError: if the law needs a fan or axes that the parameter does not have.
        """


def fan(owner: Initialiser, parameter: Parameter, mode: str) -> float:
    """The fan that `owner` scales by: `"fan_in"`, `"fan_out"`, or their mean `"fan_avg"`.

    Raises:
        InputError: if a fan that is needed is 0, which is how a parameter says that it has none.
    """
    needed = ("fan_in", "fan_out") if mode == "fan_avg" else (mode,)
    values = [parameter.fan_in if name == "fan_in" else parameter.fan_out for name in needed]
    for name, value in zip(needed, values, strict=True):
        if value <= 0:
            raise InputError(
                f"{type(owner).__name__} needs the {name} of parameter {parameter.name!r} "
                f"of shape {parameter.shape}, which is {value}; "
                f"choose another initialiser for it, as in {{{parameter.name!r}: init.Ones()}}"
            )
    return sum(values) / len(values)


def require_matrix(owner: Initialiser, parameter: Parameter) -> None:
    """Refuse a parameter with fewer than two axes."""
    if len(parameter.shape) < 2:
        raise InputError(
            f"{type(owner).__name__} got parameter {parameter.name!r} of shape {parameter.shape}; "
            "it needs at least two axes, (…, n_in, n_out)"
        )


def require_finite(owner: Initialiser, *arguments: str) -> None:
    """Refuse arguments that are not finite numbers."""
    for argument in arguments:
        if not math.isfinite(_number(owner, argument, "a finite number")):
            raise _refusal(owner, argument, "a finite number")


def require_not_negative(owner: Initialiser, argument: str) -> None:
    """Refuse an argument that is not a finite number of 0 or more."""
    expected = "a finite number, 0 or more"
    if not 0 <= _number(owner, argument, expected) < math.inf:
        raise _refusal(owner, argument, expected)


def require_positive(owner: Initialiser, argument: str) -> None:
    """Refuse an argument that is not a finite number above 0."""
    expected = "a finite number above 0"
    if not 0 < _number(owner, argument, expected) < math.inf:
        raise _refusal(owner, argument, expected)


def require_one_of(owner: Initialiser, argument: str, choices: Sequence[str]) -> None:
    """Refuse an argument that is not one of the given strings."""
    if getattr(owner, argument) not in choices:
        raise _refusal(owner, argument, "one of " + ", ".join(map(repr, choices)))


def _number(owner: Initialiser, argument: str, expected: str) -> float:
    value: object = getattr(owner, argument)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise _refusal(owner, argument, expected)
    try:
        return float(value)
    except OverflowError:  # an int beyond the largest float
        raise _refusal(owner, argument, expected) from None


def _refusal(owner: Initialiser, argument: str, expected: str) -> InputError:
    return InputError(
        f"{type(owner).__name__} got {argument}={getattr(owner, argument)!r}; it needs {expected}"
    )
