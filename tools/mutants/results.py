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
HOOKS = ("setup", "teardown", "pytest_")


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

    A death is a fact about the changed source and the test that failed, with all in its file that it is made
    with, and the helpers that it imports; a survival one about the changed source and all its test files. The
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
    sources = [(f, test) for f in files] + [(TESTS / "conftest.py", "")]
    texts, found = [_text_of(*source) for source in sources], set[Path]()
    while sources:
        new = {*_helpers(*sources.pop())} - found
        sources += [(f, "") for f in new]
        found |= new
    texts += [*map(_text_of, sorted(found)), besides]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


@cache
def _text_of(file: Path, test: str = "") -> str:
    """What is in a file, without comments; of one test, if it is given, only what that test is made with."""
    return ast.unparse(_parts(file, test))


@cache
def _helpers(file: Path, test: str = "") -> list[Path]:
    """The modules in `tests/` that this imports."""
    imports = [n for n in ast.walk(_parts(file, test)) if isinstance(n, ast.ImportFrom) and n.module]
    names = [name for n in imports for name in (n.module, *(f"{n.module}.{a.name}" for a in n.names))]
    paths = [TESTS / (name.replace(".", "/") + ".py") for name in names if name]
    return [p for p in paths if p.exists()]


@cache
def _parts(file: Path, test: str) -> ast.Module:
    tree = ast.parse(file.read_text())
    if not any(test in _defined(n) for n in tree.body):
        return tree
    body = [n for n in tree.body if not _is_text(n)]
    kept, wanted = list[ast.stmt](), {test}
    while new := [n for n in body if n not in kept and _belongs(n, wanted)]:
        kept += new
        wanted |= {name for n in new for name in _used(n)}
    tree.body = [_only(n, wanted) for n in body if n in kept]
    return tree


def _belongs(node: ast.stmt, wanted: set[str]) -> bool:
    """Whether a statement defines what is wanted, or concerns all tests: marks, loops, hooks, fixtures that
    are automatic or called otherwise, functions that are put into a table where they are defined.
    """
    defined = _defined(node)
    if not defined or defined & {*wanted, "pytestmark", "*"}:
        return True
    if not isinstance(node, ast.FunctionDef) or node.name.startswith("test"):
        return False
    told = {name for d in node.decorator_list for name in _used(d)} & wanted - {"pytest"}
    words = " ".join(map(ast.unparse, node.decorator_list))
    return bool(told) or "autouse" in words or "name=" in words or node.name.startswith(HOOKS)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _defined(node: ast.stmt) -> set[str]:
    """The names that a statement at the level of the module gives something; none of other statements."""
    match node:
        case ast.FunctionDef(name) | ast.ClassDef(name):
            return {name}
        case ast.Import(aliases) | ast.ImportFrom(_, aliases):
            return {(alias.asname or alias.name).partition(".")[0] for alias in aliases}
        case ast.Assign(targets):
            return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}
        case ast.AnnAssign(ast.Name(name)):
            return {name}
    return set()


def _used(node: ast.AST) -> set[str]:
    """The names that it may look up; arguments are fixtures, and texts may name some."""
    found = set[str]()
    for n in ast.walk(node):
        match n:
            case ast.Name(name) | ast.arg(name) | ast.Constant(str(name)):
                found.add(name)
    return found


def _only(node: ast.stmt, wanted: set[str]) -> ast.stmt:
    """An import of what is wanted alone; anything else as it is."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        node.names = [a for a in node.names if (a.asname or a.name).partition(".")[0] in {*wanted, "*"}]
    return node
