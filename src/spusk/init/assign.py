"""From a network's parameters to their first values: which initialiser each one gets, and the draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spusk.errors import InputError, closest
from spusk.init.catalogue import get
from spusk.init.constant import Zeros
from spusk.init.he import HeNormal
from spusk.init.initialiser import Initialiser
from spusk.init.lsuv import LSUV, ROWS
from spusk.streams import stream

if TYPE_CHECKING:
    from spusk.nn import Layer
    from spusk.nn.parameter import Parameter

Init: TypeAlias = Initialiser | str | Mapping[str, Initialiser | str] | None
"""What `initialise` takes: an initialiser, its name, a mapping from patterns to them, or None: HeNormal."""

DEFAULT = HeNormal()


def initialise(
    parameters: Iterable[Parameter],
    init: Init = None,
    *,
    seed: int = 0,
    dtype: DTypeLike = np.float32,
) -> dict[str, NDArray[np.floating[Any]]]:
    """Draw the first values of every parameter of a network.

    A parameter's values depend on its own name, shape and fans, its initialiser and the seed, and on nothing
    else: adding, removing or renaming other parameters leaves them as they are.

    **Which initialiser.** One initialiser (or its name) goes to every weight, and biases get zeros. A mapping
    chooses by name: its keys are exact names or globs (`*`, `?`, `[…]`; `*` crosses dots). An exact name
    beats any glob, and an earlier glob beats a later one. Weights that no key fits get HeNormal.

    **Biases** get zeros unless they are told otherwise, which there are two ways to do:
    the key names them, that is, its part after the last dot fits the bias's own and is not made of wildcards
    alone (`"0.bias"`, `"*.bias"` and `"*b*"` do; `"*"`, `"0.*"` and `"0*"` do not); or the initialiser
    says that it covers biases (`TorchDefault` does, by `biases = True`).

    Args:
        parameters: of the network, by their full names, which are unique.
        init: an initialiser, its name in lower case, a mapping {pattern: initialiser or name}, or None:
            HeNormal.
        seed: a non-negative integer; each parameter draws from its own stream `(seed, "init", name)`.
        dtype: of the arrays, a floating-point type, default float32. Draws are made in float64, then rounded.

    Returns:
        Name -> array of the parameter's shape, in the order of `parameters`.

    Raises:
        InputError: for an unknown name, a pattern that fits no parameter, a name that occurs twice, a dtype
            that is not floating point, or an initialiser that does not suit its parameter.

    >>> from spusk.nn.parameter import Parameter
    >>> net = [
    ...     Parameter("0.weight", (64, 32), fan_in=64, fan_out=32),
    ...     Parameter("0.bias", (32,), fan_in=64, kind="bias"),
    ...     Parameter("2.weight", (32, 10), fan_in=32, fan_out=10),
    ... ]
    >>> weights = initialise(net, {"2.*": "orthogonal", "*.bias": "ones"}, seed=1)
    >>> {name: w.shape for name, w in weights.items()}
    {'0.weight': (64, 32), '0.bias': (32,), '2.weight': (32, 10)}
    >>> float(weights["0.bias"].min())
    1.0
    """
    parameters = list(parameters)
    _require_unique([parameter.name for parameter in parameters])
    floating = _floating(dtype)
    chosen = _choices(init, parameters)
    return {
        parameter.name: _draw(parameter, initialiser, seed, floating)
        for parameter, initialiser in zip(parameters, chosen, strict=True)
    }


def fitted(
    net: Layer, weights: Mapping[str, NDArray[Any]], init: Init, x: NDArray[Any], *, seed: int = 0
) -> dict[str, NDArray[Any]]:
    """The first values again, where an initialiser looks at data, as LSUV does; else as they are.

    Args:
        net: the network.
        weights: what `initialise` has drawn.
        init: as given to `initialise`.
        x: the training examples [n, …]; a few of them, drawn by the seed, are looked at.
        seed: a non-negative integer.
    """
    parameters = list(net.parameters())
    found = dict(weights)
    rows = None
    for parameter, initialiser in zip(parameters, _choices(init, parameters), strict=True):
        if isinstance(initialiser, LSUV):
            if rows is None:
                rows = x[stream(seed, "init", "examples").permutation(len(x))[:ROWS]]
            found[parameter.name] = initialiser.scaled(net, found, parameter.name, rows)
    return found


def _choices(init: Init, parameters: list[Parameter]) -> list[Initialiser]:
    """The initialiser of each parameter. One initialiser is the same as the mapping {"*": initialiser}."""
    if not isinstance(init, Mapping):
        rules = {"*": DEFAULT if init is None else get(init)}
    else:
        rules = {pattern: get(choice) for pattern, choice in init.items()}
        _require_each_fits(rules, parameters)
        rules.setdefault("*", DEFAULT)
    return [_choice(parameter, rules) for parameter in parameters]


def _choice(parameter: Parameter, rules: Mapping[str, Initialiser]) -> Initialiser:
    if parameter.name in rules:
        return rules[parameter.name]
    for pattern, initialiser in rules.items():
        if _fits(pattern, initialiser, parameter):
            return initialiser
    return Zeros()


def _fits(pattern: str, initialiser: Initialiser, parameter: Parameter) -> bool:
    if pattern == parameter.name:
        return True
    if not fnmatchcase(parameter.name, pattern):
        return False
    return parameter.kind != "bias" or initialiser.biases or _names_last_part(pattern, parameter.name)


def _names_last_part(pattern: str, name: str) -> bool:
    """Whether what follows the pattern's last dot fits what follows the name's, by more than wildcards."""
    last = pattern.rpartition(".")[2]
    return last.strip("*?") != "" and fnmatchcase(name.rpartition(".")[2], last)


def _require_each_fits(rules: Mapping[str, Initialiser], parameters: list[Parameter]) -> None:
    for pattern, initialiser in rules.items():
        if not isinstance(pattern, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"init's pattern {pattern!r} is not a string; give a parameter's name or a glob")
        if any(_fits(pattern, initialiser, parameter) for parameter in parameters):
            continue
        biases = [parameter.name for parameter in parameters if fnmatchcase(parameter.name, pattern)]
        if biases:
            raise InputError(
                f"init's pattern {pattern!r} fits only biases, such as {biases[0]!r}, "
                f"and does not name them; write {biases[0]!r} or '*bias'"
            )
        names = [parameter.name for parameter in parameters]
        raise InputError(f"init's pattern {pattern!r} fits no parameter{closest(pattern, names)}")


def _draw(
    parameter: Parameter, initialiser: Initialiser, seed: int, dtype: np.dtype[np.floating[Any]]
) -> NDArray[np.floating[Any]]:
    rng = stream(seed, "init", parameter.name)
    with np.errstate(over="ignore", invalid="ignore"):  # the sentence below says it better than a warning
        values = np.array(initialiser.sample(parameter, rng), dtype=dtype, order="C")
    if values.shape != parameter.shape:
        raise InputError(
            f"{initialiser!r} gave parameter {parameter.name!r} values of shape {values.shape}; "
            f"it needs {parameter.shape}"
        )
    if not np.isfinite(values).all():
        raise InputError(
            f"{initialiser!r} gave parameter {parameter.name!r} values that are not finite in {dtype}"
        )
    return values


def _require_unique(names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"two parameters are named {name!r}; each needs a name of its own")
        seen.add(name)


def _floating(dtype: DTypeLike) -> np.dtype[np.floating[Any]]:
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        raise InputError(f"dtype is {dtype!r}; weights need a floating-point type such as float32") from None
    if found.kind != "f":
        raise InputError(f"dtype is {found}; weights need a floating-point type such as float32")
    return found
