"""Every optimizer of Spusk as an `optax.GradientTransformation`.

    transformation = spusk.interop.optax.transform(optim.RAdam(lr=1e-3))

The rule's graph is evaluated under `jax.numpy` while JAX traces, so it works under `jit`, `vmap` and `scan`.
Unless JAX is told to use 64 bits (`jax_enable_x64`), bias corrections and schedules are
float32, as optax's own.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from spusk.errors import InputError, closest
from spusk.graph import Evaluator, Tensor
from spusk.graph.leaves import plain
from spusk.interop.needs import library
from spusk.interop.update import Slot, Update, update_of
from spusk.optim import Optimizer, get
from spusk.optim.hyper import hyperparameters
from spusk.streams import key

jax: Any = library("jax", "jax", "spusk.interop.optax")
jnp: Any = library("jax.numpy", "jax", "spusk.interop.optax")
optax: Any = library("optax", "jax", "spusk.interop.optax")

__all__ = ["RuleState", "evaluated", "factory", "transform"]


class RuleState(NamedTuple):
    """What a rule keeps between steps.

    Attributes:
        count: how many steps were taken, int32.
        slots: for each slot of the rule, e.g. "m", a tree like the parameters; None where one has none.
        shared: the slots that belong to all parameters together.
        weights: the weights, if gradients are taken elsewhere, and the parameters are that point; else None.
    """

    count: Any
    slots: dict[str, Any]
    shared: dict[str, Any]
    weights: Any


def transform(rule: Optimizer | type[Optimizer] | str, *, seed: int = 0, **hyper: Any) -> Any:
    """A rule as a gradient transformation; its updates contain the learning rate and the sign.

    Args:
        rule: an optimizer of `spusk.optim`, its class or its name.
        seed: of the rule's random numbers, if it draws any.
        hyper: hyperparameters in place of the rule's own, with `__` for dots, e.g. `inner__lr=0.1`, and in
            patterns "any" for `*` and `_` for other signs, e.g. `rules__anybias__lr=0.1`. They may be traced
            by JAX, or be functions of the number of steps taken, such as optax's schedules.

    Returns:
        An `optax.GradientTransformationExtraArgs`. Its `update` needs the parameters, because a rule computes
        the next ones, and an update is the difference; rules that use the loss take it as `value=`. Of rules
        that take the gradient elsewhere than at the weights, the parameters are that point; see `evaluated`.

    Raises:
        InputError: for a rule or hyperparameter that cannot be used; when used, for a rule that looks at the
            loss more than once in a step (SAM) or uses second derivatives, and for missing parameters.

    >>> import jax, optax
    >>> from spusk import optim
    >>> rule = transform(optim.RAdam(lr=0.1))
    >>> params = {"x": jax.numpy.zeros(2)}
    >>> state = rule.init(params)
    >>> for _ in range(100):
    ...     gradient = jax.grad(lambda p: ((p["x"] - 1) ** 2).sum())(params)
    ...     updates, state = rule.update(gradient, state, params)
    ...     params = optax.apply_updates(params, updates)
    >>> bool(abs(params["x"] - 1).max() < 0.05), int(state.count), sorted(state.slots)
    (True, 100, ['m', 'v'])
    """
    adapter = _Adapter(get(rule), seed, hyper)
    return optax.GradientTransformationExtraArgs(adapter.init, adapter.update)


def factory(rule: Optimizer | type[Optimizer] | str) -> Callable[..., Any]:
    """A function of a rule's hyperparameters, by keyword, as `optax.inject_hyperparams` wants it.

    Args:
        rule: as for `transform`; its numbers are the defaults.

    >>> import jax, optax
    >>> from spusk import optim
    >>> injected = optax.inject_hyperparams(factory(optim.Momentum))(lr=0.1)
    >>> state = injected.init({"x": jax.numpy.zeros(2)})
    >>> sorted(state.hyperparams)
    ['dampening', 'lr', 'mu']
    """
    found = get(rule)
    numbers = hyperparameters(found)

    def made(**hyper: Any) -> Any:
        return transform(found, **hyper)

    keyword = inspect.Parameter.KEYWORD_ONLY
    words = zip(_keywords(numbers), numbers.values(), strict=True)
    parameters = [inspect.Parameter(word, keyword, default=number) for word, number in words]
    made.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    made.__name__ = found.label
    return made


def _keywords(names: Iterable[str]) -> list[str]:
    """Names of hyperparameters as Python can have them for arguments; those that become alike get numbers.

    >>> _keywords(["lr", "inner.lr", "rules.*bias.lr", "rules.0.*.lr", "rules.0-*.lr", "rules.0_*.lr"])
    ['lr', 'inner__lr', 'rules__anybias__lr', 'rules__0__any__lr', 'rules__0_any__lr', 'rules__0_any__lr_2']
    """
    found: list[str] = []
    for name in names:
        word = first = re.sub(r"\W", "_", name.replace(".", "__").replace("*", "any"))
        count = 1
        while word in found:
            count += 1
            word = f"{first}_{count}"
        found.append(word)
    return found


def evaluated(rule: Optimizer | type[Optimizer] | str, params: Any, state: Any, **hyper: Any) -> Any:
    """The weights to use: to be measured, kept and returned.

    Args:
        rule: as given to `transform`.
        params: the parameters as they are trained.
        state: the state of the transformation, a `RuleState`.
        hyper: as given to `transform`.

    >>> import jax
    >>> from spusk import optim
    >>> params = {"x": jax.numpy.ones(2)}
    >>> evaluated(optim.Adam(), params, transform(optim.Adam()).init(params))["x"].tolist()
    [1.0, 1.0]
    """
    return _Adapter(get(rule), 0, hyper).evaluated(params, state)


class _Adapter:
    """The functions of a transformation."""

    def __init__(self, rule: Optimizer, seed: int, hyper: Mapping[str, Any]) -> None:
        self._rule = rule
        numbers = hyperparameters(rule)
        by_word = dict(zip(_keywords(numbers), numbers, strict=True))
        given = {by_word.get(word, word.replace("__", ".")): number for word, number in hyper.items()}
        for name in given:
            if name not in numbers:
                raise InputError(f"{rule.label} has no hyperparameter {name!r}{closest(name, numbers)}")
        self._hyper: dict[str, Any] = {**numbers, **given}
        self._key = key(seed, "optimizer")
        self._update = cache(self._built)

    def init(self, params: Any) -> RuleState:
        update, tree = self._of(params)
        weights = [_float(p) for p in tree.leaves]
        first = [slot.first for slot in update.slots]
        found = self._evaluated(update, first, jnp.zeros((), jnp.int32), [(update.weights, weights)], {})
        kept = weights if update.asks_elsewhere else None
        return self._state(update, tree, jnp.zeros((), jnp.int32), found, kept)

    def update(
        self, updates: Any, state: RuleState, params: Any = None, *, value: Any = None, **extra: Any
    ) -> tuple[Any, RuleState]:
        if params is None:
            raise InputError(
                f"{self._rule.label} computes the next parameters, so update needs the present ones: "
                "update(gradients, state, params)"
            )
        update, tree = self._of(params)
        question = update.questions[0]
        at = [_float(p) for p in tree.leaves]
        weights = tree.flat(state.weights) if update.asks_elsewhere else at
        gradients = [_like(g, w) for g, w in zip(tree.flat(updates), at, strict=True)]
        fed: dict[Tensor, Any] = dict(
            zip([s.before for s in update.slots], self._slots(update, tree, state), strict=True)
        )
        if update.needs_closure:
            if value is None:
                raise InputError(
                    f"{self._rule.label} uses the loss: update(gradients, state, params, value=loss)"
                )
            fed[question.loss] = jnp.asarray(value)
        after = [*update.new_weights.values(), *(slot.after for slot in update.slots)]
        after += (update.next_points or {}).values()
        known = [(update.weights, weights), (question.answer, gradients)]
        found = self._evaluated(update, after, state.count, known, fed)
        n, m = len(weights), len(update.slots)
        new, slots, points = found[:n], found[n : n + m], found[n + m :]
        last = jnp.iinfo(jnp.int32).max
        count = jnp.where(state.count < last, state.count + 1, last)
        new_state = self._state(update, tree, count, slots, new if points else None)
        return tree.built([p - w for p, w in zip(points or new, at, strict=True)]), new_state

    def evaluated(self, params: Any, state: RuleState) -> Any:
        update, tree = self._of(params)
        if update.evaluated is None and not update.asks_elsewhere:
            return params
        weights = tree.flat(state.weights) if update.asks_elsewhere else [_float(p) for p in tree.leaves]
        fed: dict[Tensor, Any] = dict(
            zip([s.before for s in update.slots], self._slots(update, tree, state), strict=True)
        )
        shown = update.evaluated or update.weights
        found = self._evaluated(
            update, list(shown.values()), state.count - 1, [(update.weights, weights)], fed
        )
        return tree.built([f.astype(p.dtype) for f, p in zip(found, tree.leaves, strict=True)])

    # --- graph and state --------------------------------------------------------------------------

    def _of(self, params: Any) -> tuple[Update, _Tree]:
        tree = _Tree(params)
        shapes = tuple(
            (name, tuple(p.shape), _float(p).dtype.name)
            for name, p in zip(tree.names, tree.leaves, strict=True)
        )
        return self._update(shapes), tree

    def _built(self, shapes: tuple[tuple[str, tuple[int, ...], str], ...]) -> Update:
        update = update_of(self._rule, {name: (shape, dtype) for name, shape, dtype in shapes})
        if update.needs_closure and len(update.questions) != 1:
            raise InputError(
                f"{self._rule.label} cannot be a gradient transformation, because {update.needs_closure}, "
                "and optax hands over one gradient; use it in spusk.train or spusk.minimize"
            )
        return update

    def _evaluated(
        self,
        update: Update,
        outputs: Sequence[Tensor],
        count: Any,
        known: Sequence[tuple[Mapping[str, Tensor], Sequence[Any]]],
        fed: Mapping[Tensor, Any],
    ) -> list[Any]:
        """Outputs after `count` steps, for values by parameter (`known`) and single ones (`fed`)."""
        feeds: dict[Tensor, Any] = dict(fed)
        for inputs, values in known:
            feeds |= zip(inputs.values(), values, strict=True)
        feeds[update.t] = jnp.asarray(count + 1, NAMESPACE.float64)
        for name, t in update.hyper.items():
            number = self._hyper[name]
            feeds[t] = jnp.asarray(number(count) if callable(number) else number, NAMESPACE.float64)
        feeds[update.key] = jnp.asarray(self._key)
        return Evaluator(outputs, list(feeds))(*feeds.values(), xp=NAMESPACE)

    def _state(
        self, update: Update, tree: _Tree, count: Any, values: Sequence[Any], weights: Sequence[Any] | None
    ) -> RuleState:
        found = dict(zip(update.slots, values, strict=True))
        slots: dict[str, dict[str, Any]] = {}
        for slot, value in found.items():
            if slot.owner is not None:
                slots.setdefault(slot.key, {})[slot.owner] = value
        trees = {name: tree.built([own.get(n) for n in tree.names]) for name, own in slots.items()}
        shared = {slot.key: value for slot, value in found.items() if slot.owner is None}
        return RuleState(count, trees, shared, None if weights is None else tree.built(weights))

    def _slots(self, update: Update, tree: _Tree, state: RuleState) -> list[Any]:
        """The slots' values in the order of the update."""
        trees = {
            name: dict(zip(tree.names, tree.flat(kept), strict=True)) for name, kept in state.slots.items()
        }

        def value(slot: Slot) -> Any:
            return state.shared[slot.key] if slot.owner is None else trees[slot.key][slot.owner]

        return [value(slot) for slot in update.slots]


class _Tree:
    """The parameters' leaves with their names, e.g. "dense.kernel", and the way back to their tree."""

    def __init__(self, params: Any) -> None:
        paths, self._structure = jax.tree_util.tree_flatten_with_path(params)
        self.leaves = [jnp.asarray(leaf) for _, leaf in paths]
        names = [".".join(_word(k) for k in path) or "parameters" for path, _ in paths]
        self.names = names if len(set(names)) == len(names) else [f"{n}.{i}" for i, n in enumerate(names)]

    def flat(self, tree: Any) -> list[Any]:
        """The leaves of a tree like the parameters; None where it has none."""
        return self._structure.flatten_up_to(tree)

    def built(self, leaves: Sequence[Any]) -> Any:
        return self._structure.unflatten(leaves)


def _word(key: Any) -> str:
    """A step of a path as a word: a dictionary's key, a place, or an attribute."""
    for attribute in ("key", "idx", "name"):
        if hasattr(key, attribute):
            return str(getattr(key, attribute))
    return str(key)


def _float(p: Any) -> Any:
    """A parameter in the precision that it is updated in."""
    if not jnp.issubdtype(p.dtype, jnp.floating):
        raise InputError(f"a parameter is {p.dtype.name}; it must hold floating point numbers")
    return p if p.dtype.name in ("float32", "float64") else p.astype(jnp.float32)


def _like(g: Any, w: Any) -> Any:
    return jnp.asarray(g).astype(w.dtype)


class _Namespace:
    """`jax.numpy`, with 32 bits where JAX has no 64, instead of a warning at each operation."""

    def __getattr__(self, name: str) -> Any:
        if name in ("float64", "int64", "uint64") and not jax.config.jax_enable_x64:
            return getattr(jnp, name.replace("64", "32"))
        return getattr(jnp, name)

    def asarray(self, value: Any, dtype: Any = None) -> Any:
        return jnp.asarray(plain(value), dtype)

    def astype(self, x: Any, dtype: Any) -> Any:
        return jnp.asarray(x).astype(dtype)


NAMESPACE = _Namespace()
