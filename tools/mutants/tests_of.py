"""Which tests a file's mutants have to pass."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.mutants.mutant import ROOT, SOURCE, module_name

TESTS = ROOT / "tests"

ELSEWHERE = {
    "optim/hints.py": ["optim/test_text.py"],
    "optim/solvers.py": ["train/test_solvers.py"],
    "optim/wrappers/plateau.py": ["train/test_rates.py"],
    "optim/wrappers/skip_non_finite.py": ["train/test_rates.py"],
    "optim/hyper.py": ["optim/test_ranges.py", "optim/test_hyper_containers.py", "optim/test_schedules.py"],
    "optim/ranges.py": ["optim/test_schedules.py"],
}
"""Files whose tests the rule does not find."""

SHARED = {
    "optim": ["optim/test_rules.py"],
    "init": sorted(f"init/{p.name}" for p in TESTS.glob("init/test_*.py")),
}
"""By room, what every file is tested by besides."""


@dataclass(frozen=True)
class Tests:
    """Test files, the ones that fail soonest first.

    Attributes:
        files: paths.
        shared: those of them that test every class of the room.
        names: what the tested file defines, its module's name among it.
        others: the classes that the room's other files define, and the names of their modules.
    """

    files: tuple[Path, ...]
    shared: frozenset[Path]
    names: frozenset[str]
    others: frozenset[str]

    def of_stage(self, shared: bool) -> list[Path]:
        """The files' own tests first, the shared ones second; where there are no others, those are first."""
        own = [f for f in self.files if f not in self.shared] or list(self.files)
        return [f for f in self.files if f not in own] if shared else own

    def wants(self, file: Path, test: str) -> bool:
        """Whether a test, of this identifier, can say something about the tested file.

        A shared test that runs once for every class is left out for those that are not the file's, unless
        they are built on it.
        """
        if file not in self.shared or "[" not in test:
            return True
        case = test.partition("[")[2]
        words = {*re.findall(r"\w+", case), *re.findall(r"[\w.]+", case)}
        return bool(words & self.names) or not words & self.others


@cache
def tests_of(file: Path) -> Tests:
    """The tests of `optim/adam.py` are `tests/optim/test_adam.py`, or, where there is no such file, all in
    `tests/optim` that name what the file defines; those of its folder, such as `test_schedules.py`; and those
    that every file of the room is tested by.
    """
    path = file.resolve().relative_to(SOURCE / "spusk")
    room = path.parts[0]
    names = _defined(file)
    found = [TESTS / name for name in ELSEWHERE.get(path.as_posix(), [])]
    own = TESTS / room / f"test_{path.stem}.py"
    found += [own] if own.exists() else []
    found += [TESTS / room / f"test_{folder}.py" for folder in path.parts[1:-1]]
    found += [] if own.exists() else _naming(names, TESTS / room)
    shared = [TESTS / name for name in SHARED.get(room, [])]
    files = tuple(dict.fromkeys([f for f in found if f.exists()] + shared))
    rest = [p for p in (SOURCE / "spusk" / room).rglob("*.py") if p != file.resolve()]
    is_base = any(_imports(p, path.stem) for p in rest if p.stem not in ("__init__", "catalogue"))
    others = set[str]() if is_base else {c for p in rest for c in _classes(p)}
    if not is_base:
        others |= {module_name(p) for p in rest if p.stem != "__init__"}
    names |= {path.stem, module_name(file)}
    return Tests(files, frozenset(shared) - {own}, frozenset(names), frozenset(others - names))


def _naming(names: set[str], room: Path) -> list[Path]:
    """The test files that use one of the names, those that do it most first; comparisons with peers apart."""
    word = re.compile(rf"\b({'|'.join(map(re.escape, sorted(names)))})\b")
    counts = {
        p: len(word.findall(p.read_text())) for p in sorted(room.glob("test_*.py")) if "peers" not in p.stem
    }
    return sorted((p for p, n in counts.items() if n and names), key=lambda p: -counts[p])


def _defined(file: Path) -> set[str]:
    """The public classes and functions of a module."""
    body = ast.parse(file.read_text()).body
    return {
        n.name for n in body if isinstance(n, ast.ClassDef | ast.FunctionDef) and not n.name.startswith("_")
    }


def _imports(file: Path, module: str) -> bool:
    return re.search(rf"^from \S+\.{module} import ", file.read_text(), re.MULTILINE) is not None


@cache
def _classes(file: Path) -> set[str]:
    return {n.name for n in ast.parse(file.read_text()).body if isinstance(n, ast.ClassDef)}
