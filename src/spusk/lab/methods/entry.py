"""One method as the command line and the reference page show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from spusk import init, nn, optim
from spusk.errors import InputError
from spusk.lab.methods.costs import StepCost, step_cost
from spusk.lab.methods.docstring import Docstring, parsed
from spusk.lab.methods.elsewhere import Elsewhere, elsewhere
from spusk.lab.methods.settings import Setting, settings, written_value
from spusk.optim import hints, plugins
from spusk.optim.text import OWN, read

KINDS = {
    "optimizer": "Optimizers",
    "wrapper": "Wrappers around optimizers",
    "solver": "Solvers, for sp.minimize",
    "schedule": "Schedules, for any hyperparameter",
    "initialiser": "Initialisers",
    "loss": "Losses",
}
"""The kinds of methods in the order in which they are listed, with their headings."""


@dataclass(frozen=True)
class Change:
    """A field of a preset that differs from the default: both values, and what the field means."""

    field: str
    default: str
    value: str
    text: str


@dataclass(frozen=True)
class Preset:
    """A library's variant: what differs from the default, and what the docstring says about that library."""

    library: str
    changes: tuple[Change, ...]
    about: str


@dataclass(frozen=True)
class Entry:
    """One method.

    Attributes:
        kind: one of `KINDS`.
        name: to call it by, on the command line and where a name is taken.
        title: of its class or function.
        summary: what it does, a sentence.
        formula: line by line, in the paper's symbols.
        source: paper, section, equation.
        notes: what else there is to know, paragraph by paragraph.
        settings: its fields.
        presets: variants of known libraries; see `Optimizer.like`.
        lr_grid: the learning rates that a comparison tries, of an optimizer.
        elsewhere: other libraries that have it, and under which names.
        package: what it was installed with; no text for Spusk's own methods.
        thing: the class or function itself.
    """

    kind: str
    name: str
    title: str
    summary: str
    formula: str
    source: str
    notes: tuple[str, ...]
    settings: tuple[Setting, ...]
    presets: tuple[Preset, ...]
    lr_grid: tuple[float, ...]
    elsewhere: Mapping[str, Elsewhere]
    package: str
    thing: Any

    def cost(self) -> StepCost | None:
        """What a step costs, of an optimizer that can be made without arguments; None for all else."""
        if self.kind not in ("optimizer", "wrapper"):
            return None
        if any(s.default == "required" for s in self.settings):
            return None
        return step_cost(self.thing())

    def libraries_called(self, name: str) -> list[str]:
        """The libraries that call the method by a name, and whose variant it has."""
        known = {preset.library for preset in self.presets}
        return [
            library
            for library, there in self.elsewhere.items()
            if library in known and "." in name and name.lower() in _calls(there)
        ]

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "thing"}
        cost = self.cost()
        return plain | {
            "settings": [asdict(s) for s in self.settings],
            "presets": [asdict(p) for p in self.presets],
            "elsewhere": {library: asdict(found) for library, found in self.elsewhere.items()},
            "cost": None if cost is None else asdict(cost),
        }


def entries() -> list[Entry]:
    """All methods, by kind; those of other packages after our own."""
    rooms: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("optimizer", optim.CATALOGUE),
        ("solver", {cls.__name__.lower(): cls for cls in dict.fromkeys(map(type, optim.SOLVERS.values()))}),
        ("schedule", optim.SCHEDULES),
        ("initialiser", init.CATALOGUE),
        ("loss", nn.losses.CATALOGUE),
    )
    own = [entry_of(kind, name, thing) for kind, room in rooms for name, thing in room.items()]
    theirs = [entry_of("optimizer", p.name, p.rule, p.package) for p in plugins.all_plugins()]
    order = list(KINDS)
    return sorted([*own, *theirs], key=lambda entry: order.index(entry.kind))


def entry_of(kind: str, name: str, thing: Any, package: str = "") -> Entry:
    """The entry of one class or function."""
    doc = parsed(thing)
    there = {} if package else elsewhere(kind, name)
    if isinstance(thing, type) and issubclass(thing, optim.Wrapper):
        kind = "wrapper"
    return Entry(
        kind=kind,
        name=name,
        title=thing.__name__,
        summary=doc.summary,
        formula=doc.formula,
        source=doc.source,
        notes=doc.notes,
        settings=settings(thing, doc.arguments),
        presets=_presets(thing, doc),
        lr_grid=_grid(thing, kind),
        elsewhere=there,
        package=package,
        thing=thing,
    )


def find(name: str, among: list[Entry] | None = None) -> list[Entry]:
    """The methods of one name, here or in another library, or of one kind; or a rule of the user's own file.

    Args:
        name: e.g. "adam", "Adam", "optax.adam", "schedules", "./mine.py:MyRule", "adam(lr=0.1)".
        among: where to look; default all methods.

    Raises:
        InputError: if there is none.

    >>> [entry.name for entry in find("NAdam")], [entry.kind for entry in find("constant")]
    (['nadam'], ['schedule', 'initialiser'])
    >>> [entry.name for entry in find("optax.adabelief")]
    ['adabelief']
    """
    if OWN.search(name):
        return [entry_of("optimizer", name, type(read(name)))]
    known = entries() if among is None else among
    wanted = name.lower()
    of_kind = [e for e in known if wanted in (e.kind, e.kind + "s", e.kind + "es")]
    found = of_kind or [e for e in known if wanted in (e.name.lower(), e.title.lower())]
    found = found or [e for e in known if wanted in _names_elsewhere(e)]
    found = found or (_written(name, known) if "(" in name else [])
    if not found:
        names = {e.name for e in known}
        raise InputError(f"no method is called {name!r}{hints.for_rule(name, names, {})}")
    return found


def _written(name: str, known: list[Entry]) -> list[Entry]:
    """The method of an optimizer that is written as a text, such as `adam(lr=0.1)`."""
    try:
        label = read(name).label
    except InputError:
        return []
    return [entry for entry in known if entry.name == label]


def _names_elsewhere(entry: Entry) -> Iterable[str]:
    for there in entry.elsewhere.values():
        yield from _calls(there)


def _calls(there: Elsewhere) -> tuple[str, str]:
    """The name in a library, with and without where it is."""
    whole = there.name.partition("(")[0].lower()
    return whole, whole.rpartition(".")[2]


def _presets(thing: Any, doc: Docstring) -> tuple[Preset, ...]:
    found: Mapping[str, Mapping[str, Any]] = getattr(thing, "presets", {})
    if not found:
        return ()
    defaults = {
        f.name: f.default if f.default_factory is MISSING else f.default_factory() for f in fields(thing)
    }
    return tuple(
        Preset(
            library,
            tuple(
                Change(name, written_value(defaults[name]), written_value(value), doc.arguments.get(name, ""))
                for name, value in changed.items()
                if value != defaults[name]
            ),
            doc.about(library),
        )
        for library, changed in found.items()
    )


def _grid(thing: Any, kind: str) -> tuple[float, ...]:
    if kind not in ("optimizer", "wrapper"):
        return ()
    grid = getattr(thing, "lr_grid", ())
    if isinstance(grid, tuple):
        return grid  # pyright: ignore[reportUnknownVariableType]
    try:
        return thing().lr_grid  # a wrapper's is that of the rule inside
    except TypeError:
        return ()
