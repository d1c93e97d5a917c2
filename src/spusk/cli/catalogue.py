"""Every method with its formula and paper, read from the docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

from spusk import init, nn, optim
from spusk.errors import InputError, closest


@dataclass(frozen=True)
class Entry:
    """One method: its kind, the name to call it by, and what its docstring says."""

    kind: str
    name: str
    title: str
    summary: str
    formula: str
    source: str
    defaults: Mapping[str, Any]
    presets: Mapping[str, Mapping[str, Any]]
    details: str


def entries() -> list[Entry]:
    """All optimizers, schedules, initialisers and losses."""
    rooms: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("optimizer", optim.CATALOGUE),
        ("schedule", optim.SCHEDULES),
        ("initialiser", init.CATALOGUE),
        ("loss", nn.losses.CATALOGUE),
    )
    return [_entry(kind, name, thing) for kind, room in rooms for name, thing in room.items()]


def only(all_entries: list[Entry], name: str) -> list[Entry]:
    """The entries of one name, or of one kind."""
    wanted = name.lower()
    if of_kind := [e for e in all_entries if wanted in (e.kind, e.kind + "s", e.kind + "es")]:
        return of_kind
    found = [e for e in all_entries if wanted in (e.name.lower(), e.title.lower())]
    if not found:
        raise InputError(f"no method is called {name!r}{closest(name, {e.name for e in all_entries})}")
    return found


def as_dict(entry: Entry) -> dict[str, Any]:
    """An entry as plain data."""
    return asdict(entry)


def _entry(kind: str, name: str, thing: Any) -> Entry:
    text = inspect.getdoc(thing) or ""
    summary, _, rest = text.partition("\n\n")
    formula = re.match(r"((?:    .*\n?|\n)+)", rest)
    source = re.search(r"^Source: (.*?)(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    return Entry(
        kind=kind,
        name=name,
        title=thing.__name__,
        summary=" ".join(summary.split()),
        formula=inspect.cleandoc(formula.group(1)) if formula else "",
        source=" ".join(source.group(1).split()) if source else "",
        defaults=_defaults(thing),
        presets=dict(getattr(thing, "presets", {})),
        details=_without_examples(rest[formula.end() :] if formula else rest),
    )


def _without_examples(text: str) -> str:
    """A docstring's text for the terminal: doctests are for readers of the code."""
    blocks = (block for block in text.split("\n\n") if not block.lstrip().startswith(">>>"))
    return re.sub(r"^Args:", "Hyperparameters:", "\n\n".join(blocks).strip(), flags=re.MULTILINE)


def _defaults(thing: Any) -> dict[str, Any]:
    if is_dataclass(thing):
        found = {f.name: getattr(thing, f.name, None) for f in fields(thing) if f.init}
        return {
            k: v if isinstance(v, (int, float, str, bool, type(None))) else repr(v) for k, v in found.items()
        }
    parameters = inspect.signature(thing).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}
