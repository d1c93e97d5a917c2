"""An optimizer of Spusk inside PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from spusk.errors import InputError
from spusk.interop.needs import library
from spusk.interop.torch.checks import RULE, check_keys, check_rule, check_saved, name_of
from spusk.interop.torch.closure import asked, dense
from spusk.interop.torch.entries import Entries
from spusk.interop.torch.group import EVALUATING, SHARED, Group
from spusk.interop.update import Update, update_of
from spusk.optim import Optimizer as Rule
from spusk.optim import get
from spusk.optim.text import written
from spusk.streams import key

torch: Any = library("torch", "torch", "spusk.interop.torch")
TorchOptimizer: Any = torch.optim.Optimizer

Backend = Literal["auto", "native", "torch"]
# What a copy takes over.
OWN = ("_rule", "_backend", "_compile", "_seed", "_out_first")


class Optimizer(TorchOptimizer):
    """A rule of Spusk as a PyTorch optimizer.

    It is a `torch.optim.Optimizer`: parameter groups, `state_dict`, schedulers, closures, hooks and
    `zero_grad` are torch's own. Every hyperparameter of the rule is an entry of the parameter groups
    under its name; the learning rate always under `"lr"`, wherever in the rule it stands (of a rule with
    several, such as a Partition, `"lr"` is a factor of all of them, 1 at first), and a momentum (mu or beta1)
    also under `"momentum"`, for schedulers that cycle it. Groups are
    stepped independently of each other, also by rules that look at all parameters.

    On the CPU, all parameters of a group are updated by one call of native code, in place. Elsewhere, and on
    request, PyTorch's operations do it: those of parameters with one formula on one flat array (on the CPU,
    large parameters by themselves). A training step may be compiled as a whole by `torch.compile`: it calls
    `step` as it is.

    Parameters of bfloat16 and float16 are updated in float32, with state in float32.

    Some rules take the gradient elsewhere than at the weights (Nesterov, Schedule-Free). Between steps the
    model's tensors then are that point, and the weights are kept in the state; `eval()` puts the weights to
    use into the model, and `train()` the point back. Rules that look at the loss more than once in a step
    (SAM) need a closure. So do those that use second derivatives; their closure only returns the loss,
    without `backward()`.

    Args:
        rule: an optimizer of `spusk.optim`, its class or its name.
        params: parameters, pairs of name and parameter, or groups, as of any torch optimizer. Rules that
            choose parameters by name need the names: `model.named_parameters()`.
        backend: "native" is Spusk's code, for tensors on the CPU; "torch" PyTorch's operations; "auto"
            (default) native where all parameters of a group are on the CPU.
        compile: True fuses PyTorch's operations, where these are used, by `torch.compile`; native code is one
            compiled function already. Small parameters and their state then become views of flat buffers.
        maximize: True climbs the objective; groups may have their own.
        seed: of the rule's random numbers, if it draws any.
        out_first: the order of a weight's axes, for rules that read them (AGC, Muon, Adafactor, AdaHessian):
            True (default) is (out, in, kernel…), as in torch's layers, False (kernel…, in, out). A rule whose
            own `out_first` is not None keeps that.

    Raises:
        InputError: for a rule, hyperparameter, backend or parameter that cannot be used.

    >>> import torch
    >>> from spusk import optim
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Linear(2, 1)
    >>> optimizer = Optimizer(optim.RAdam(lr=0.05), model.parameters())
    >>> x = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> for _ in range(300):
    ...     optimizer.zero_grad()
    ...     loss = ((model(x) - x.sum(1, keepdim=True)) ** 2).mean()
    ...     loss.backward()
    ...     _ = optimizer.step()
    >>> bool(loss < 1e-2), optimizer.param_groups[0]["lr"]
    (True, 0.05)
    """

    def __init__(
        self,
        rule: Rule | type[Rule] | str,
        params: Any,
        *,
        backend: Backend = "auto",
        compile: bool = False,
        maximize: bool = False,
        seed: int = 0,
        out_first: bool = True,
        **others: Any,
    ) -> None:
        if others:
            named = ", ".join(f"{name}={value!r}" for name, value in others.items())
            raise InputError(
                f"the optimizer got {named}; hyperparameters are given to the rule, as in RAdam(lr=0.01), or "
                "to a parameter group"
            )
        if backend not in ("auto", "native", "torch"):
            raise InputError(f"backend is {backend!r}; it must be 'auto', 'native' or 'torch'")
        if compile and backend == "native":
            raise InputError(
                "compile=True fuses torch's operations, which backend='native' does not use; leave one out"
            )
        self._rule = get(rule)
        check_rule(self.rule)
        self._backend, self._compile, self._seed, self._out_first = backend, compile, seed, out_first
        self._forget()
        TorchOptimizer.__init__(self, params, {**self._entries.defaults, "maximize": maximize})

    @property
    def rule(self) -> Rule:
        """The rule that it was made with; hyperparameters are changed in `param_groups`."""
        return self._rule

    # --- what torch asks of an optimizer ----------------------------------------------------------

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, as any torch optimizer; its hyperparameters must be numbers that the rule allows."""
        check_keys(param_group, self._entries.defaults, self.rule)
        TorchOptimizer.add_param_group(self, param_group)
        group = self.param_groups[-1]
        try:
            if self.rule.needs_names and "param_names" not in group:
                raise InputError(
                    f"{self.rule.label} goes by the names of the parameters; give model.named_parameters()"
                )
            self._entries.check(self._entries.numbers(group))
            for p in group["params"]:
                _check(p)
        except Exception:  # of whatever kind, also a TypeError of float("…"): no half-made group stays
            del self.param_groups[-1]
            raise
        self._entries.tell_rate(group, 1)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step for all parameters that have a gradient; those without are left alone.

        Args:
            closure: clears the gradients, computes the loss, calls `backward()` and returns the loss. It is
                called at each point where the rule wants a gradient. For rules with second derivatives it
                only computes and returns the loss.

        Returns:
            The loss that the closure returned, where the rule reports it; None without a closure.

        Raises:
            InputError: if the rule needs a closure and got none, if the weights to use are in the model
                (`eval`), or for gradients that are sparse.
        """
        return self._as_it_is(self._step, closure)

    def _as_it_is(self, method: Callable[[Any], Any], argument: Any) -> Any:
        """Call a method; untraced within a function that is being compiled: there is only Python to see."""
        return _untraced(method, argument) if torch.compiler.is_compiling() else method(argument)

    def _step(self, closure: Callable[[], Any] | None) -> Any:
        if any(group.get(EVALUATING) for group in self.param_groups):
            raise InputError(
                "the model has the weights to use, as eval() put them; call train() before a step"
            )
        groups = self._groups_now()
        numbers = [self._entries.now(group.group) for group in groups]
        loss = None
        if closure is not None:
            with torch.no_grad():
                loss = asked(groups, numbers, closure)
        else:
            for group, own in zip(groups, numbers, strict=True):
                self._advance(group, own)
        if self._entries.are_scheduled:
            for group in groups:
                self._entries.tell_rate(group.group, group.steps)
        return loss

    def _advance(self, group: Group, numbers: Sequence[float]) -> None:
        """A step of one group with the gradients that are there."""
        why = group.update.needs_closure
        if why and group.parameters:
            raise InputError(f"{self.rule.label} needs step(closure), because {why}")
        gradients = {name: g for name, p in group.parameters.items() if (g := p.grad) is not None}
        for gradient in gradients.values():
            if gradient.layout is not torch.strided:
                dense(gradient)
        group.begin(gradients, numbers)
        for t, names in group.buckets(gradients):
            group.advance(names, t, numbers, [gradients], [])

    def __repr__(self) -> str:
        groups: str = TorchOptimizer.__repr__(self)
        return groups.replace(type(self).__name__, f"{type(self).__name__} {written(self.rule)}", 1)

    def __getstate__(self) -> dict[str, Any]:
        return {**TorchOptimizer.__getstate__(self), **{name: vars(self)[name] for name in OWN}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        TorchOptimizer.__setstate__(self, state)
        self._forget()

    def state_dict(self) -> dict[str, Any]:
        """State and groups as torch has them, with the name of the rule under `"rule"`."""
        return {**TorchOptimizer.state_dict(self), RULE: name_of(self.rule)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that `state_dict()` has given, with its hyperparameters, in its precision.

        Raises:
            InputError: if it is the state of another rule, or of another formula of this one.
        """
        taken: dict[str, Any] = {}

        def look(_: Any, state: dict[str, Any]) -> None:
            groups = self._groups_now()
            check_saved(state, groups, self._entries.defaults, self.rule)
            taken.update(state)

        def restore(_: Any) -> None:
            self._restore(taken)

        # The last hook sees what others have made of the state; the first one after loading precedes theirs.
        hooks = [
            self.register_load_state_dict_pre_hook(look),
            self.register_load_state_dict_post_hook(restore, prepend=True),
        ]
        try:
            TorchOptimizer.load_state_dict(self, state_dict)
        finally:
            for hook in hooks:
                hook.remove()

    def _restore(self, state_dict: dict[str, Any]) -> None:
        """The saved state in its own precision, in place of what torch has made of it."""
        for i, (saved, group) in enumerate(zip(state_dict["param_groups"], self._groups_now(), strict=True)):
            of_id = dict(zip(saved["params"], self.param_groups[i]["params"], strict=True))
            name_of = {p: name for name, p in group.parameters.items()}
            for number, p in of_id.items():
                if number in state_dict["state"] and p in name_of:
                    group.restore(name_of[p], state_dict["state"][number])
            if saved.get(SHARED):
                group.restore(None, saved[SHARED])

    # --- the point of the gradient, and the weights to use -----------------------------------------

    def eval(self) -> None:
        """Put the weights to use into the model: an average, for instance, if the rule keeps one."""
        self._as_it_is(self._swap, True)

    def train(self) -> None:
        """Put back what the next step goes on from."""
        self._as_it_is(self._swap, False)

    def _swap(self, evaluating: bool) -> None:
        with torch.no_grad():
            for torch_group, group in zip(self.param_groups, self._groups_now(), strict=True):
                update = group.update
                has_other = update.asks_elsewhere or update.evaluated is not None
                if bool(torch_group.get(EVALUATING)) == evaluating or not has_other:
                    continue
                torch_group[EVALUATING] = evaluating
                for t, names in group.buckets(group.begun):
                    group.show(names, t, self._entries.numbers(torch_group), evaluating)

    # --- groups -----------------------------------------------------------------------------------

    def _forget(self) -> None:
        """What follows from the rule, and what is built when it is needed."""
        self._groups: dict[int, Group] = {}
        self._looked_at: list[int] = []  # whose state the groups know: of which tensor, in which dictionary
        self._updates: dict[Any, Update] = {}
        self._entries = Entries(self.rule)

    def _groups_now(self) -> list[Group]:
        """All groups as they are now, knowing the state as it is now."""
        groups = [self._group(i) for i in range(len(self.param_groups))]
        if self._looked_at != self._whose_state():
            for group in groups:
                group.look()
            self._looked_at = self._whose_state()
        return groups

    def _whose_state(self) -> list[int]:
        return [*map(id, self.state), *map(id, self.state.values())]

    def _group(self, i: int) -> Group:
        """A group as it is now; anew if its parameters have become others."""
        group = self.param_groups[i]
        known = self._groups.get(i)
        if known is None or not known.is_still(group, self.state):
            known = self._groups[i] = self._built(i, group)
        return known

    def _built(self, i: int, group: dict[str, Any]) -> Group:
        parameters = group["params"]
        for p in parameters:
            _check(p)
        devices = {p.device for p in parameters}
        if len(devices) > 1:
            told = ", ".join(sorted(map(str, devices)))
            raise InputError(f"a parameter group lies on several devices ({told}); make one group for each")
        on_cpu = all(device.type == "cpu" for device in devices)
        if self._backend == "native" and not on_cpu:
            raise InputError(f"backend='native' needs parameters on the CPU, not on {devices.pop()}")
        native = on_cpu and self._backend != "torch"
        backend = "native" if native else "compile" if self._compile else "torch"
        names = group.get("param_names") or [f"{i}.{k}" for k in range(len(parameters))]
        shapes = {n: (tuple(p.shape), _precision(p)) for n, p in zip(names, parameters, strict=True)}
        known = (tuple(shapes.items()), bool(group["maximize"]))
        if known not in self._updates:
            self._updates[known] = update_of(
                self.rule, shapes, maximize=bool(group["maximize"]), out_first=self._out_first
            )
        random_key = torch.from_numpy(key(self._seed, "optimizer"))
        return Group(group, self._updates[known], names, self.state, backend, random_key)


@torch.compiler.disable
def _untraced(method: Callable[[Any], Any], argument: Any) -> Any:
    return method(argument)


def _check(p: Any) -> None:
    if not p.dtype.is_floating_point or p.layout is not torch.strided:
        kind = str(p.dtype).removeprefix("torch.")
        layout = "" if p.layout is torch.strided else f", {p.layout}"
        raise InputError(
            f"a parameter is {kind}{layout}; it must be a dense tensor of floating point numbers"
        )


def _precision(p: Any) -> str:
    return "float64" if p.dtype is torch.float64 else "float32"
