"""Mutants that change nothing, each with a sentence why."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from tools.mutants.mutant import Mutant

TABLE = Path(__file__).with_name("equivalent.toml")
_KEYS = ("file", "function", "operator", "before", "after")

Key = tuple[str, ...]


def read(table: Path = TABLE) -> dict[Key, str]:
    """Why, by file, function, operator and the text before and after; lines may move.

    Raises:
        ValueError: if an entry lacks a key or a reason, or comes twice.
    """
    found: dict[Key, str] = {}
    for entry in tomllib.loads(table.read_text()).get("mutant", []):
        if set(entry) != {*_KEYS, "because"} or not entry["because"].strip():
            raise ValueError(f"{table.name}: an entry needs {', '.join(_KEYS)} and because; it has {entry}")
        key = tuple(entry[name] for name in _KEYS)
        if key in found:
            raise ValueError(f"{table.name}: {key} comes twice")
        found[key] = entry["because"]
    return found


def key(mutant: Mutant) -> Key:
    """What an entry names a mutant by."""
    return tuple(getattr(mutant, name) for name in _KEYS)


def unmatched(explained: Mapping[Key, str], mutants: Iterable[Mutant], files: Iterable[str]) -> list[Key]:
    """The entries about these files that fit no mutant."""
    present, looked_at = {key(m) for m in mutants}, set(files)
    return [k for k in explained if k[0] in looked_at and k not in present]
