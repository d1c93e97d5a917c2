"""What an optimizer keeps for a parameter group: names, state tensors, and the steps that are ready."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.interop.needs import library
from spusk.interop.split import Split
from spusk.interop.step import Step, step_of
from spusk.interop.torch.namespace import Namespace
from spusk.interop.torch.native import NativeStep
from spusk.interop.torch.tensors import TensorStep
from spusk.interop.update import Slot, Update

torch: Any = library("torch", "torch", "spusk.interop.torch")

Tensors = dict[str, Any]
STEP, WEIGHT = "steps taken", "weights kept"  # beside a rule's slots, whose names have no blanks
SHARED = "shared"
EVALUATING = "evaluating"  # in groups while the model has the weights to use
SCHEDULED = "scheduled_lr"  # what the rule has last shown as its rate in the group


class Group:
    """A parameter group as the rule sees it, for as long as its parameters stay the same ones.

    Args:
        group: torch's dictionary.
        update: the rule's step on its parameters.
        names: of all its parameters; those that are frozen are seen by the rule, and left alone.
        state: the optimizer's state, by parameter.
        backend: "native", "torch", or "compile".
        key: uint32 [2], of the rule's random numbers.
    """

    def __init__(
        self,
        group: dict[str, Any],
        update: Update,
        names: Sequence[str],
        state: Mapping[Any, dict[str, Any]],
        backend: str,
        key: Any,
    ) -> None:
        self.group, self.update, self.backend, self.key = group, update, backend, key
        self._all: Tensors = dict(zip(names, group["params"], strict=True))
        self._maximize = group["maximize"]
        self._known = [(p, p.requires_grad, p.shape, p.dtype, p.device) for p in group["params"]]
        self.parameters: Tensors = {name: p for name, p in self._all.items() if p.requires_grad}
        self._frozen = [name for name in names if name not in self.parameters]
        self.device = group["params"][0].device if names else torch.device("cpu")
        self._state = state
        self._states: dict[str, dict[str, Any]] = {}
        self.look()
        self._slots: dict[str | None, list[tuple[int, Slot]]] = defaultdict(list)
        for i, slot in enumerate(update.slots):
            self._slots[slot.owner].append((i, slot))
        self._check_slots()
        self._numbers = {  # the slots that are single numbers, by parameter
            name: [s.key for _, s in self._slots[name] if s.before.weak and s.before.shape == ()]
            for name in names
        }
        self._has_numbers = any(self._numbers.values())
        self._steps: dict[tuple[str, ...], tuple[Step, Any]] = {}
        self._functions: dict[Any, Any] = {}

    def is_still(self, group: dict[str, Any], state: Mapping[Any, dict[str, Any]]) -> bool:
        """Whether all is as it was when this was made; else another one has to be made."""
        parameters = group["params"]
        if group is not self.group or state is not self._state or group["maximize"] != self._maximize:
            return False
        for p, (known, trained, shape, dtype, device) in zip(parameters, self._known, strict=False):
            if p is not known or p.requires_grad is not trained or p.shape != shape:
                return False
            if p.dtype is not dtype or p.device != device:
                return False
        return len(parameters) == len(self._known)

    # --- state ------------------------------------------------------------------------------------

    def look(self) -> None:
        """Find the state again, which may have been replaced between two steps."""
        self._states = {name: self._state[p] for name, p in self.parameters.items()}
        for name in self._frozen:
            self._states[name] = self._state.get(self._all[name], {})

    def _check_slots(self) -> None:
        """Refuse parameters that have become others, of another shape, since their state was made."""
        for name, state in self._states.items():
            for _, slot in self._slots[name]:
                if slot.key in state:
                    self._check_shape(name, slot, state[slot.key])

    def _check_shape(self, name: str | None, slot: Slot, value: Any) -> None:
        if tuple(value.shape) != slot.before.shape:
            where = "all parameters" if name is None else f"parameter {name!r}"
            raise InputError(
                f"the saved {slot.key!r} of {where} has shape {tuple(value.shape)}; "
                f"it needs {slot.before.shape}"
            )

    def state(self, name: str) -> dict[str, Any]:
        """What is kept for a parameter."""
        return self._states[name]

    def keys(self, name: str | None) -> list[str]:
        """The names of what the rule keeps for a parameter; of None, for all of them together."""
        return [slot.key for _, slot in self._slots[name]]

    def weight(self, name: str) -> Any:
        """The tensor with the weights: the parameter, unless that is somewhere else for the time being."""
        return self._states[name].get(WEIGHT, self._all[name])

    def slot(self, slot: Slot) -> Any:
        """The tensor of a slot."""
        return self.group[SHARED][slot.key] if slot.owner is None else self.state(slot.owner)[slot.key]

    def begin(self, names: Iterable[str], numbers: Sequence[float]) -> None:
        """Make the state of parameters that have none."""
        names, states = list(names), self._states
        new = [name for name in names if STEP not in states[name]]
        shared = self._slots[None]
        is_first = bool(shared and names) and not self.group.get(SHARED)
        if new or is_first:
            with torch.no_grad():
                self._make(new, is_first, numbers)

    def _make(self, new: Sequence[str], is_first: bool, numbers: Sequence[float]) -> None:
        """Make the state of new parameters, and on the first step that of all together."""
        shared = self._slots[None]
        for name in new:
            self._states[name] = self._state[self._all[name]]
        wanted = [slot for name in new for _, slot in self._slots[name]]
        wanted += [slot for _, slot in shared] if is_first else []
        given = self.update.weights
        first = self.compute(
            "start", [slot.first for slot in wanted], list(given.values()), list(map(self.weight, given)),
            [1.0, *numbers],
        )  # fmt: skip
        for name in new:
            self.state(name)[STEP] = 0
            if self.update.asks_elsewhere:
                dtype = getattr(torch, self.update.weights[name].dtype.name)
                self.state(name)[WEIGHT] = self._all[name].detach().to(dtype, copy=True)
        if is_first:
            self.group[SHARED] = {}
        for slot, value in zip(wanted, first, strict=True):
            kept = self.group[SHARED] if slot.owner is None else self.state(slot.owner)
            device = "cpu" if slot.before.weak else self.device  # single numbers are for the host
            kept[slot.key] = torch.clone(value, memory_format=torch.contiguous_format).to(device)

    @property
    def seen(self) -> Iterable[str]:
        """The parameters whose state a step may look at: of a rule over all of them, also frozen ones."""
        return self._all if self.update.is_coupled and self.parameters else self.parameters

    def restore(self, name: str | None, saved: Mapping[str, Any]) -> None:
        """Take over saved state in its own precision; torch would give it the parameter's."""
        kept = self.group[SHARED] if name is None else self.state(name)
        slots = {slot.key: slot for _, slot in self._slots[name]}
        for key, value in saved.items():
            if key in slots:
                self._check_shape(name, slots[key], value)
            if isinstance(value, torch.Tensor):
                on_host = key in slots and slots[key].before.weak
                kept[key] = value.detach().clone().to("cpu" if on_host else self.device)

    # --- computing --------------------------------------------------------------------------------

    def compute(
        self,
        what: Any,
        outputs: Sequence[Tensor],
        inputs: Sequence[Tensor],
        values: Sequence[Any],
        numbers: Sequence[float],
    ) -> list[Any]:
        """Some outputs, by PyTorch's operations; `what` is a name for them."""
        if not outputs:
            return []
        xp = Namespace(self.device)
        key = (what, tuple(t.serial for t in outputs))
        if key not in self._functions:
            scalars = (self.update.t, *self.update.hyper.values())
            split = Split(outputs, [t for t in inputs if t not in set(scalars)], scalars)
            self._functions[key] = split, [xp.asarray(c) for c in split.constant_values]
        split, constants = self._functions[key]
        own, border = split.numbers(numbers)
        arrays = split.arrays(
            [_as(v, t) for v, t in zip(values, inputs, strict=True)],
            [xp.asarray(b) for b in border],
            constants,
            xp,
        )
        mine, others = iter(own), iter(arrays)
        return [torch.as_tensor(np.array(next(mine))) if is_own else next(others) for is_own in split.own]

    def known(self, answers: Sequence[Tensors], losses: Sequence[Any]) -> tuple[list[Tensor], list[Any]]:
        """All inputs of the graph that have values by now, with them; what nobody answered is 0."""
        update = self.update
        pairs: list[tuple[Tensor, Any]] = [(w, self.weight(name)) for name, w in update.weights.items()]
        begun = [s for s in update.slots if s.owner is None or s.key in self.state(s.owner)]
        pairs += [(slot.before, self.slot(slot)) for slot in begun]
        pairs.append((update.key, self.key.to(self.device)))
        for question, answer, loss in zip(update.questions, answers, losses, strict=False):
            for name, g in question.answer.items():
                found = answer.get(name)
                pairs.append((g, torch.zeros_like(self.weight(name)) if found is None else found))
            pairs.append((question.loss, loss.to(self.device)))
        return [t for t, _ in pairs], [value for _, value in pairs]

    def advance(
        self,
        active: Sequence[str],
        t: int,
        numbers: Sequence[float],
        answers: Sequence[Tensors],
        losses: Sequence[Any],
    ) -> None:
        """Take step t for some parameters, in place."""
        names = tuple(active)
        if names not in self._steps:
            step = step_of(self.update, names)
            self._steps[names] = step, self._ready(step)
        step, run = self._steps[names]
        # What a rule over all parameters reads of those that have had no gradient yet.
        if self.update.is_coupled:
            read = {value.owner for value in step.values if value.kind == "slot" and value.owner}
            self.begin([name for name in read if STEP not in self._states[name]], numbers)
        run(self._tensors(step, answers, losses), [float(t), *numbers])
        for name in names:
            self._states[name][STEP] = t

    def _tensors(self, step: Step, answers: Sequence[Tensors], losses: Sequence[Any]) -> list[Any]:
        """What a step reads and writes, in the order of its values."""
        found: list[Any] = []
        for value in step.values:
            owner = value.owner or ""
            match value.kind:
                case "weight":
                    tensor = self._states[owner].get(WEIGHT, self._all[owner])
                case "gradient":
                    given = answers[value.which].get(owner)
                    tensor = torch.zeros_like(self.weight(owner)) if given is None else given
                case "slot":
                    tensor = self.slot(self.update.slots[value.which])
                case "point":
                    tensor = self._all[owner]
                case "loss":
                    tensor = losses[value.which]
                case "key":
                    tensor = self.key
            found.append(tensor)
        return found

    def show(self, names: Sequence[str], t: int, numbers: Sequence[float], evaluating: bool) -> None:
        """Put the weights to use into the tensors, or back what step t goes on from."""
        update = self.update
        if not evaluating and not update.asks_elsewhere:
            for name in names:
                self._all[name].copy_(self.state(name).pop(WEIGHT))
            return
        for name in names:
            self.state(name).setdefault(WEIGHT, self._all[name].detach().clone())
        shown = update.evaluated if evaluating else update.questions[0].point
        inputs, values = self.known([], [])
        outputs = [(shown or update.weights)[name] for name in names]
        found = self.compute("show", outputs, inputs, values, [t - 1 if evaluating else t, *numbers])
        for name, value in zip(names, found, strict=True):
            self._all[name].copy_(value)

    @property
    def begun(self) -> list[str]:
        """The parameters that have state, also those that are frozen by now."""
        return [name for name, state in self._states.items() if STEP in state]

    @property
    def steps(self) -> int:
        """How many steps the parameter has taken that has taken most."""
        return max((state.get(STEP, 0) for state in self._states.values()), default=0)

    def _ready(self, step: Step) -> Any:
        if self.backend == "native":
            return NativeStep(step)
        return TensorStep(step, self.device, compile=self.backend == "compile")

    def buckets(self, names: Iterable[str]) -> list[tuple[int, list[str]]]:
        """Parameters that take the same step together, with the number of that step."""
        if self.update.is_coupled:
            together = list(names)
            return [(1 + self.steps, together)] if together else []
        names = list(names)
        steps = {self._states[name][STEP] for name in names}
        if len(steps) == 1 and not self._has_numbers:
            return [(1 + steps.pop(), names)]
        found: dict[Any, list[str]] = defaultdict(list)
        for name in names:
            state = self.state(name)
            found[state[STEP], *(float(state[key]) for key in self._numbers[name])].append(name)
        return [(key[0] + 1, some) for key, some in found.items()]


def _as(value: Any, t: Tensor) -> Any:
    """A tensor in the dtype of the graph."""
    return value.detach().to(getattr(torch, t.dtype.name))
