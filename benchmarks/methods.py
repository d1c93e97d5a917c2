"""The catalogue as it is measured: for each method the rule, its work, and the same method in peers.

Which library has which method is read from `spusk.lab.methods.elsewhere`, which `python -m tools.elsewhere`
writes; how the wrappers are put together there is told in `peers/`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from spusk import optim
from spusk.lab.methods.elsewhere import elsewhere
from spusk.optim.wrappers.wrapper import Wrapper

LIBRARIES = ("torch", "optax", "pytorch_optimizer")
NETWORK = (784, 512, 256, 10)
"""Its 535,818 weights and biases are what most methods update."""
SMALL_NETWORK = (128, 128, 128, 10)
MATRIX = ("muon", "shampoo", "soap", "psgdkron")
"""Methods that multiply and decompose matrices, on the small network."""
CLOSURE = ("adahessian", "sophiah", "sam")
"""Methods that ask more of the loss than one gradient: measured with all they ask, in a training."""
NOT_IN_TORCH = ("plateau",)
"""What needs Spusk's own loop."""
RANDOM = ("adahessian", "sophiah")
"""Their random numbers are others in each library, so their results cannot be compared."""
SETTINGS: dict[str, dict[str, Any]] = {
    "clip": {"global_norm": 1.0},
    "swa": {"begin": 1, "every": 1},
    "layerrates": {"factors": (("*bias", 2.0),)},
}
"""Of wrappers that do nothing by default, or only now and then."""
FUSED = ("SGD", "Adam", "AdamW", "Adagrad")
"""Torch's classes that have a fused version."""


NOT_IN_FLOAT32 = ("shampoo",)
"""Methods that we do not have as peers have them: without a ridge the roots are not finite in float32."""


@dataclass(frozen=True)
class Peer:
    """A method in another library.

    Attributes:
        path: of the class or function, as "torch.optim.SGD".
        arguments: those that choose the method, and the learning rate where the library has no default.
    """

    path: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Method:
    """One method of the catalogue."""

    name: str

    def rule(self, library: str | None = None) -> optim.Optimizer:
        """The rule with its defaults, or as a library has it; wrappers are around a standard rule."""
        cls = optim.CATALOGUE[self.name]
        given = dict(SETTINGS.get(self.name, {}))
        if library is None:
            return cls(**given)
        if any(field.name == "inner" for field in fields(cls)):
            inner = type(getattr(cls(), "inner"))  # noqa: B009 (a field of some of the classes only)
            given["inner"] = inner.like(library) if library in inner.presets else inner()
        return cls.like(library, **given)

    @property
    def peers(self) -> dict[str, Peer]:
        """The libraries that have it, among those that are measured."""
        there = elsewhere("optimizer", self.name)
        found: dict[str, Peer] = {}
        for library in LIBRARIES:
            if library in there:
                path, arguments = parsed(there[library].name)
                if library == "optax" and "lr" in there[library].arguments:
                    arguments |= {there[library].arguments["lr"]: self._rate(library)}
                found[library] = Peer(path, arguments)
        return found

    def _rate(self, library: str) -> Any:
        known = library in optim.CATALOGUE[self.name].presets
        return getattr(self.rule(library if known else None), "lr")  # noqa: B009

    @property
    def presets(self) -> dict[str, optim.Optimizer]:
        """Our rule as each of the peers has it, where we know how that is."""
        if self.name in NOT_IN_FLOAT32:
            return {}
        known = optim.CATALOGUE[self.name].presets
        return {library: self.rule(library) for library in self.peers if library in known}

    @property
    def timed(self) -> optim.Optimizer:
        """What is timed: as the first of the peers has it."""
        return next(iter(self.presets.values()), self.rule())

    @property
    def has_fused(self) -> bool:
        """Whether torch has a fused version of it, or of what it wraps."""
        cls = optim.CATALOGUE[self.name]
        if "torch" not in self.peers or self.name == "muon":
            return False
        wraps = issubclass(cls, Wrapper | optim.Partition)
        return wraps or self.peers["torch"].path.rpartition(".")[2] in FUSED

    @property
    def widths(self) -> tuple[int, ...]:
        return SMALL_NETWORK if self.name in MATRIX else NETWORK


def parsed(name: str) -> tuple[str, dict[str, Any]]:
    """Path and arguments of a name such as "torch.optim.SGD(momentum=0.9)".

    >>> parsed("torch.optim.SGD(momentum=0.9)")
    ('torch.optim.SGD', {'momentum': 0.9})
    """
    path, opened, rest = name.partition("(")
    if not opened:
        return path, {}
    call = ast.parse(f"f({rest}", mode="eval").body
    assert isinstance(call, ast.Call)
    return path, {word.arg or "": ast.literal_eval(word.value) for word in call.keywords}


METHODS = tuple(Method(name) for name in optim.CATALOGUE)
