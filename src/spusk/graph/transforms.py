"""From functions to functions: grad, value_and_grad, jacobian, hvp."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.checks import checked_function
from spusk.errors import DTypeError, InputError, ShapeError
from spusk.graph import ops
from spusk.graph.backprop import backprop
from spusk.graph.dtypes import FLOAT64, as_dtype, is_float
from spusk.graph.interpret import Evaluator, own
from spusk.graph.leaves import Input, as_tensor, holds_tensor
from spusk.graph.leaves import input as new_input
from spusk.graph.place import users_place
from spusk.graph.tensor import Tensor
from spusk.graph.walk import topological

Function = Callable[..., Any]
ArgNums = int | tuple[int, ...]


def grad(f: Function, argnums: ArgNums = 0) -> Function:
    """The function that computes the gradient of `f`.

    Args:
        f: takes arrays (or dicts of arrays) as Tensors, built with operators and `spusk.numpy`, and
            returns a scalar.
        argnums: the argument to differentiate by, or a tuple of several.

    Returns:
        A function of the same arguments. It returns a NumPy array of that argument's shape and dtype (a
        dict for a dict, a tuple for several arguments); whole numbers and truth values become float64, as
        lists of Python numbers do. Called with Tensors it returns Tensors, so that gradients of gradients
        work.

    Raises:
        InputError: if `f` is no function; when called, if it has no such argument.
        ShapeError: when called, if `f` does not return a scalar.
        DTypeError: when called, if an argument does not hold numbers in a rectangular array.

    >>> f = lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    >>> grad(f)([1.0, 2.0])
    array([-400.,  200.])
    >>> grad(grad(lambda x: x ** 3))(2.0)
    array(12.)
    """
    checked_function("grad", f)
    both = value_and_grad(f, argnums)

    @wraps(f, assigned=("__name__", "__doc__"))
    def gradient(*args: Any) -> Any:
        return both(*args)[1]

    return gradient


def value_and_grad(f: Function, argnums: ArgNums = 0) -> Function:
    """The function that computes `(f(...), gradient)` in one evaluation. See `grad`.

    >>> value_and_grad(lambda x: (x * x).sum())([3.0, 4.0])
    (array(25.), array([6., 8.]))
    """
    checked_function("value_and_grad", f)

    def transformed(*args: Any) -> Any:
        variables = [_flatten(args[i]) for i in _positions(argnums, args)]
        y = _scalar(f(*args))
        flat = [leaf for leaves in variables for leaf in leaves]
        gradients = iter(backprop(y, flat))
        by_argument = tuple(_rebuild(args[i], gradients) for i in _positions(argnums, args))
        return y, by_argument[0] if isinstance(argnums, int) else by_argument

    return traced(transformed, floats=lambda args: _positions(argnums, args))


def jacobian(f: Function, argnum: int = 0) -> Function:
    """The function that computes all derivatives of all outputs of `f`.

    Args:
        f: takes arrays and returns an array of any shape.
        argnum: the argument (one array) to differentiate by.

    Returns:
        A function of the same arguments that returns an array of the output's shape followed by the
        argument's shape. Costs one backward pass for each element of the output.

    >>> jacobian(lambda x: x * x)([1.0, 2.0])
    array([[2., 0.],
           [0., 4.]])
    """
    checked_function("jacobian", f)

    def transformed(*args: Any) -> Tensor:
        x = args[argnum]
        if not isinstance(x, Tensor):
            raise InputError("jacobian differentiates by one array, not by a dict of arrays")
        y = as_tensor(f(*args))
        shape = (*y.shape, *x.shape)
        if not y.size:
            return ops.full(shape, 0, x.dtype)
        flat = ops.reshape(y, -1)
        return ops.reshape(ops.stack([backprop(flat[i], x) for i in range(y.size)]), shape)

    return traced(transformed, floats=lambda args: _positions(argnum, args))


def hvp(f: Function) -> Function:
    """The function that computes Hessian-vector products: `hvp(f)(x, v)` is ∇²f(x)·v.

    It differentiates the scalar ∇f(x)·v, so the Hessian is never formed: the cost is a few times that of
    `f`. Pearlmutter, 1994, "Fast exact multiplication by the Hessian".

    Args:
        f: takes one array and returns a scalar.

    Returns:
        A function of x and v, arrays of one shape, that returns an array of that shape.

    >>> hvp(lambda x: x[0] ** 2 * x[1])([1.0, 2.0], [1.0, 0.0])
    array([4., 2.])
    """
    checked_function("hvp", f)

    def transformed(x: Any, v: Any) -> Tensor:
        if not isinstance(x, Tensor) or not isinstance(v, Tensor) or x.shape != v.shape:
            shapes = " and ".join(str(getattr(a, "shape", type(a).__name__)) for a in (x, v))
            raise ShapeError(
                f"hvp needs a point and a direction of one shape and got {shapes} ({users_place()})"
            )
        gradient = backprop(_scalar(f(x)), x)
        return backprop(ops.sum(gradient * v), x)

    return traced(transformed, floats=lambda args: (0, 1))


# --- tracing ------------------------------------------------------------------------------------------


def traced(
    f: Function,
    floats: Callable[[tuple[Any, ...]], tuple[int, ...]] = lambda args: (),
    remembered: dict[Any, Any] | None = None,
    evaluator: Callable[[list[Tensor], list[Tensor]], Callable[..., list[Any]]] = Evaluator,
) -> Function:
    """Call `f` on Tensors: inside another trace as it is, else on fresh inputs whose values are then fed.

    `floats` says which arguments become floating arrays even when whole numbers are given; `remembered` keeps
    what was traced, by the arguments' shapes and dtypes; `evaluator` turns outputs and inputs into a
    function.
    """

    @wraps(f, assigned=())
    def call(*args: Any) -> Any:
        continuous = {i % len(args) for i in floats(args)}
        if any(holds_tensor(leaf) for a in args for leaf in _flatten(a)):
            return f(*(_map(_variable if i in continuous else _independent, a) for i, a in enumerate(args)))
        arrays = [_map(floating_array if i in continuous else as_array, a) for i, a in enumerate(args)]
        flat = [leaf for a in arrays for leaf in _flatten(a)]
        signature = tuple((_structure(a), *((x.shape, x.dtype) for x in _flatten(a))) for a in arrays)
        found = None if remembered is None else remembered.get(signature)
        if found is None:
            found = _trace(f, arrays, evaluator)
            if found is None:  # f's closure holds Tensors of an outer trace: the result is one of them
                return f(*(_map(_independent, a) for a in arrays))
            if remembered is not None:
                remembered[signature] = found
        compute, result = found
        values = iter([own(v, flat) for v in compute(*flat)])
        return _rebuild(result, values)

    return call


def _trace(
    f: Function,
    arrays: list[Any],
    evaluator: Callable[[list[Tensor], list[Tensor]], Callable[..., list[Any]]],
) -> tuple[Callable[..., list[Any]], Any] | None:
    """The graph of f, or None if it depends on more inputs than f's arguments."""
    inputs = [_inputs(label, a) for label, a in zip(_labels(f, arrays), arrays, strict=True)]
    result = _map(as_tensor, f(*inputs))
    outputs, flat = _flatten(result), [leaf for a in inputs for leaf in _flatten(a)]
    known = {id(leaf) for leaf in flat}
    if any(isinstance(t.primitive, Input) and id(t) not in known for t in topological(outputs)):
        return None
    return evaluator(outputs, flat), result


def _independent(x: Any) -> Tensor:
    return ops.alias(x if isinstance(x, Tensor) else as_tensor(_numbers(x)))


def _variable(x: Any) -> Tensor:
    """The same for an argument to differentiate by: whole numbers become floats."""
    return ops.alias(ops.floating(x if isinstance(x, Tensor) else as_tensor(_numbers(x))))


def _numbers(x: Any) -> Any:
    """Lists of numbers as arrays, with the precision that they have outside of a trace."""
    return as_array(x) if type(x) in (list, tuple) and not holds_tensor(x) else x


def _labels(f: Function, arguments: list[Any]) -> list[str]:
    """The arguments' names in f's signature, where it tells them."""
    try:
        bound = signature(f).bind(*arguments).arguments
    except (TypeError, ValueError):  # no signature, or one that the call does not fit, which f itself tells
        bound = {}
    found: list[str] = []
    for name, given in bound.items():
        several = signature(f).parameters[name].kind is Parameter.VAR_POSITIONAL
        found += [f"{name}[{i}]" for i in range(len(given))] if several else [name]
    return found or [f"argument {i}" for i in range(len(arguments))]


def _inputs(label: str, tree: Any) -> Any:
    """Fresh inputs for an argument's arrays, each labelled by where it lies."""
    if not _is_tree(tree):
        return new_input(label, tree.shape, tree.dtype)
    if isinstance(tree, Mapping):
        return {key: _inputs(f"{label}[{key!r}]", value) for key, value in tree.items()}  # pyright: ignore[reportUnknownVariableType]
    return tuple(_inputs(f"{label}[{i}]", value) for i, value in enumerate(tree))


def as_array(x: Any) -> NDArray[Any]:
    """An argument as NumPy makes it: lists of Python floats become float64, arrays keep their dtype."""
    try:
        array: NDArray[Any] = np.asarray(x)
    except ValueError:
        array = np.empty((), object)
    if array.dtype.kind not in "biuf":
        raise DTypeError(
            f"expected numbers in a rectangular array and got {type(x).__name__} {x!r:.60} ({users_place()})"
        )
    return array.astype(as_dtype(array.dtype), copy=False)


def floating_array(x: Any) -> NDArray[Any]:
    """An argument as a floating array: whole numbers become float64."""
    array = as_array(x)
    return array if is_float(array.dtype) else array.astype(FLOAT64)


def _positions(argnums: ArgNums, args: tuple[Any, ...]) -> tuple[int, ...]:
    positions = (argnums,) if isinstance(argnums, int) else argnums
    for i in positions:
        if not -len(args) <= i < len(args):
            raise InputError(f"cannot differentiate by argument {i}: the function was given {len(args)}")
    return positions


def _scalar(y: Any) -> Tensor:
    t = as_tensor(y)
    if t.shape != ():
        raise ShapeError(
            f"a gradient needs a function that returns a scalar; this one returns shape {t.shape} "
            f"({users_place()})"
        )
    return t


# --- trees: arrays, and dicts and tuples of them ------------------------------------------------------


def _is_tree(x: Any) -> bool:
    return isinstance(x, Mapping) or (isinstance(x, tuple) and any(isinstance(v, Tensor) for v in x))  # pyright: ignore[reportUnknownVariableType]


def _flatten(tree: Any) -> list[Any]:
    if not _is_tree(tree):
        return [tree]
    values: Any = tree.values() if isinstance(tree, Mapping) else tree  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return [leaf for v in values for leaf in _flatten(v)]


def _map(f: Function, tree: Any) -> Any:
    return _rebuild(tree, iter([f(leaf) for leaf in _flatten(tree)]))


def _rebuild(tree: Any, leaves: Any) -> Any:
    """The same containers around other leaves."""
    if not _is_tree(tree):
        return next(leaves)
    if isinstance(tree, Mapping):
        return {key: _rebuild(value, leaves) for key, value in tree.items()}  # pyright: ignore[reportUnknownVariableType]
    return tuple(_rebuild(value, leaves) for value in tree)


def _structure(tree: Any) -> Any:
    if not isinstance(tree, Mapping):
        return None
    items: Any = tree.items()  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return tuple((key, _structure(value)) for key, value in items)
