"""What became of mutants, kept from one run to the next as long as neither they nor their tests change."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.mutants.mutant import ROOT, Mutant
from tools.mutants.tests_of import TESTS, tests_of

KEPT = ROOT / ".mutants.jsonl"


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant.

    Attributes:
        mutant: which one.
        alive: whether the tests passed.
        by: the test that failed; "" if none did, or the mutant could not be imported or ran out of time.
    """

    mutant: Mutant
    alive: bool
    by: str = ""


class Results:
    """Outcomes in a file of lines, each written as soon as it is known.

    A death is a fact about the changed source and the test that failed, with all in its file that is no other
    test, and the helpers that it imports; a survival one about the changed source and all its test files. The
    rest of the package is not looked at.
    """

    def __init__(self, file: Path = KEPT) -> None:
        self._file = file
        lines = file.read_text().splitlines() if file.exists() else []
        self._known = {entry["mutant"]: entry for entry in map(_read, lines) if entry}

    def get(self, mutant: Mutant) -> Outcome | None:
        """What is known of a mutant, None if nothing is."""
        entry = self._known.get(mutant.digest)
        if entry is None or entry["tests"] != _tests(mutant, entry["by"]):
            return None
        return Outcome(mutant, entry["alive"], entry["by"])

    def put(self, outcome: Outcome) -> None:
        """Keep an outcome."""
        mutant = outcome.mutant
        entry = {
            "mutant": mutant.digest,
            "alive": outcome.alive,
            "tests": _tests(mutant, outcome.by),
            "by": outcome.by,
        }
        self._known[mutant.digest] = entry
        with self._file.open("a") as lines:
            lines.write("\n" + json.dumps(entry, ensure_ascii=False))  # after a line that was cut off, too


def _read(line: str) -> dict[str, object] | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:  # a line that was being written when the machine went off
        return None


def _tests(mutant: Mutant, by: str) -> str:
    name, _, test = by.partition("::")
    tests = tests_of(ROOT / mutant.file)
    own = [f for f in tests.files if f not in tests.shared]
    if ROOT / name in own:
        return _digest([ROOT / name], test.partition("[")[0])
    # The shared tests run the examples of docstrings, which are those of the mutated file.
    known = [ROOT / name] if by and (ROOT / name).exists() else tests.files
    return _digest(known, test.partition("[")[0] if by else "", _text_of(ROOT / mutant.file))


def _digest(files: Iterable[Path], test: str = "", besides: str = "") -> str:
    """Of these files, of one test only if it is given, of what they import from `tests/`, and of a text."""
    found = set[Path]()
    waiting = [*files, TESTS / "conftest.py"]
    texts = [_text_of(f, test) for f in waiting]
    while waiting:
        file = waiting.pop()
        waiting += set(_helpers(file)) - found
        found |= set(_helpers(file))
    texts += [*map(_text_of, sorted(found)), besides]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


@cache
def _text_of(file: Path, test: str = "") -> str:
    """What is in a file, without comments, and without all tests but this one if it is given."""
    tree = ast.parse(file.read_text())
    if test:
        tree.body = [
            n for n in tree.body if getattr(n, "name", test) == test or not n.name.startswith("test")
        ]
    return ast.unparse(tree)


@cache
def _helpers(file: Path) -> list[Path]:
    """The modules in `tests/` that a test file imports."""
    tree = ast.walk(ast.parse(file.read_text()))
    names = [n.module for n in tree if isinstance(n, ast.ImportFrom) and n.module]
    paths = [TESTS / (name.replace(".", "/") + ".py") for name in names]
    return [p for p in paths if p.exists()]
