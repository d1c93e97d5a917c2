"""Every optimizer of Spusk as an `optax.GradientTransformation`.

    transformation = spusk.interop.optax.transform(optim.RAdam(lr=1e-3))

The rule's graph is evaluated under `jax.numpy` while JAX traces, so it works under `jit`, `vmap` and `scan`.
Unless JAX is told to use 64 bits (`jax_enable_x64`), bias corrections and schedules are
float32, as optax's own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from spusk.errors import InputError
from spusk.graph import Evaluator, Tensor
from spusk.graph import input as new_input
from spusk.graph.leaves import plain
from spusk.interop.given import named, settled, single, words
from spusk.interop.needs import library
from spusk.interop.update import Slot, Update, update_of
from spusk.optim import Optimizer, Schedule, get
from spusk.optim.complete import require_complete
from spusk.optim.hyper import hyperparameters
from spusk.optim.wrappers.plateau import plateaus
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
        hyper: hyperparameters in place of the rule's own, with `__` for dots, e.g. `inner__beta1=0.8`, and in
            patterns "any" for `*` and `_` for other signs, e.g. `rules__anybias__lr=0.1`; `lr` is the
            learning rate, however deep it lies. Numbers and Spusk's schedules are checked as by the rule
            itself. Values may also be traced by JAX, or be functions of the number of steps taken, such as
            optax's schedules.

    Returns:
        An `optax.GradientTransformationExtraArgs`. Its `update` needs the parameters, because a rule computes
        the next ones, and an update is the difference; rules that use the loss take it as `value=`. Of rules
        that take the gradient elsewhere than at the weights, the parameters are that point; see `evaluated`.

    Raises:
        InputError: for a rule or hyperparameter that cannot be used, such as Plateau, whose rate the loop of
            `spusk.train` lowers; when used, for a rule that looks at the loss more than once in a step (SAM)
            or uses second derivatives, and for missing parameters.

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
    if isinstance(hyper.get("hyper"), Mapping):
        raise InputError(
            "transform is no function of hyperparameters alone; write inject_hyperparams(factory(rule))(lr=…)"
        )
    adapter = _Adapter(get(rule), seed, hyper)
    return optax.GradientTransformationExtraArgs(adapter.init, adapter.update)


def factory(rule: Optimizer | type[Optimizer] | str) -> Callable[..., Any]:
    """A function of a rule's hyperparameters, by keyword, as `optax.inject_hyperparams` wants it.

    Args:
        rule: as for `transform`; its numbers are the defaults. The learning rate is `lr`, however deep it
            lies.

    Raises:
        InputError: when called, for a name or number that the rule does not have or allow.

    >>> import jax, optax
    >>> from spusk import optim
    >>> injected = optax.inject_hyperparams(factory(optim.Lookahead(optim.Momentum())))(lr=0.1)
    >>> state = injected.init({"x": jax.numpy.zeros(2)})
    >>> sorted(state.hyperparams)
    ['alpha', 'inner__dampening', 'inner__mu', 'lr']
    """
    found = get(rule)
    _check_rule(found)

    def made(*unnamed: Any, **hyper: Any) -> Any:
        _check_named(found, unnamed)
        return transform(found, **hyper)

    made.__signature__ = _Keywords(found)  # pyright: ignore[reportFunctionMemberAccess]
    made.__name__ = found.label
    return made


class _Keywords(inspect.Signature):
    """A rule's hyperparameters as keywords.

    `inject_hyperparams` binds what it is given, and later hands over arrays. So this is where names are told,
    where numbers can be checked, and where schedules of Spusk become functions of the steps taken.
    """

    def __init__(self, rule: Optimizer) -> None:
        numbers, keyword = hyperparameters(rule), inspect.Parameter.KEYWORD_ONLY
        super().__init__(
            [inspect.Parameter(word, keyword, default=numbers[name]) for word, name in words(rule).items()]
        )
        self._rule = rule

    def bind(self, *args: Any, **kwargs: Any) -> inspect.BoundArguments:
        _check_named(self._rule, args)
        settled(self._rule, kwargs)
        word_of = {name: word for word, name in words(self._rule).items()}
        given = {word_of[name]: single(name, value) for name, value in named(self._rule, kwargs).items()}
        return super().bind(**{w: _of_count(v) if isinstance(v, Schedule) else v for w, v in given.items()})


def _check_named(rule: Optimizer, unnamed: Sequence[Any]) -> None:
    if unnamed:
        raise InputError(
            f"{unnamed[0]!r} has no name; {rule.label} takes hyperparameters by name, e.g. lr=0.1"
        )


def _check_rule(rule: Optimizer) -> None:
    require_complete(rule)
    for plateau in plateaus(rule).values():
        settings = f"factor={plateau.factor!r}, patience={plateau.patience}"
        raise InputError(
            "Plateau cannot be a gradient transformation, because the loop of spusk.train lowers its rate "
            f"after an epoch; use optax.chain(transform(rule), optax.contrib.reduce_on_plateau({settings}))"
        )


def _of_count(schedule: Schedule) -> Callable[[Any], Any]:
    """A schedule as a function of the number of steps taken, t − 1."""
    t = new_input("step", (), "float64", weak=True)
    evaluator = Evaluator([schedule.at(t)], [t])
    return lambda count: evaluator(jnp.asarray(count + 1, NAMESPACE.float64), xp=NAMESPACE)[0]


def evaluated(rule: Any, params: Any, state: Any, **hyper: Any) -> Any:
    """The weights to use: to be measured, kept and returned.

    Args:
        rule: as given to `transform`, or what that returned. Of transformations that optax has put together,
            e.g. by `chain`, give the rule of Spusk that is inside.
        params: the parameters as they are trained.
        state: the state of the transformation, a `RuleState`, or any state of optax with one inside.
        hyper: as given to `transform`. What `inject_hyperparams(factory(rule))` keeps is found in the state.

    Raises:
        InputError: for a transformation that does not tell its rule, or a state in which there is not one
            state of the rule.

    >>> import jax, optax
    >>> from spusk import optim
    >>> params = {"x": jax.numpy.ones(2)}
    >>> rule = transform(optim.EMA(optim.Adam()))
    >>> evaluated(rule, params, rule.init(params))["x"].tolist()
    [1.0, 1.0]
    >>> chain = optax.chain(optax.clip_by_global_norm(1.0), rule)
    >>> evaluated(optim.EMA(optim.Adam()), params, chain.init(params))["x"].tolist()
    [1.0, 1.0]
    """
    adapter = getattr(getattr(rule, "update", None), "__self__", None)
    if isinstance(adapter, _Adapter):
        found, given = adapter.rule, {**adapter.later, **named(adapter.rule, hyper)}
    elif hasattr(rule, "init") and hasattr(rule, "update"):
        raise InputError(
            "evaluated got a transformation that optax has put together, which does not tell its rule; give "
            "the rule inside, e.g. evaluated(optim.RAdam(), params, state)"
        )
    else:
        found = get(rule)
        given = named(found, hyper)
    own, injected = _own_state(state)
    known = words(found)
    if injected.keys() <= known.keys():
        given = {**named(found, injected), **given}
    return _Adapter(found, 0, given).evaluated(params, own)


def _own_state(state: Any) -> tuple[RuleState, dict[str, Any]]:
    """The one state of a rule in a state of optax, and the hyperparameters that are injected into it."""

    def is_end(x: Any) -> bool:
        return isinstance(x, RuleState) or (
            hasattr(x, "hyperparams") and isinstance(getattr(x, "inner_state", None), RuleState)
        )

    found = [x for x in jax.tree_util.tree_leaves(state, is_leaf=is_end) if is_end(x)]
    if len(found) != 1:
        raise InputError(
            f"there are {len(found)} states of rules of Spusk in the {type(state).__name__} that evaluated "
            "got; it must be one: give the state of transform(rule), or what of optax's state holds it"
        )
    end = found[0]
    return (end, {}) if isinstance(end, RuleState) else (end.inner_state, dict(end.hyperparams))


class _Adapter:
    """The functions of a transformation."""

    def __init__(self, rule: Optimizer, seed: int, hyper: Mapping[str, Any]) -> None:
        _check_rule(rule)
        self.rule, self.later = settled(rule, hyper)
        self._hyper: dict[str, Any] = {**hyperparameters(self.rule), **self.later}
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
                f"{self.rule.label} computes the next parameters, so update needs the present ones: "
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
                    f"{self.rule.label} uses the loss: update(gradients, state, params, value=loss)"
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
        update = update_of(self.rule, {name: (shape, dtype) for name, shape, dtype in shapes})
        if update.needs_closure and len(update.questions) != 1:
            raise InputError(
                f"{self.rule.label} cannot be a gradient transformation, because {update.needs_closure}, "
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
