"""What must hold for the project as a whole."""

import ast
import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import get_origin

import pytest

import spusk

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ["graph", "numpy", "compile", "nn", "init", "optim", "data", "train", "lab", "interop", "cli"]
FOREIGN = ("spusk.interop.torch", "spusk.interop.optax")  # they need torch or jax; tests/interop runs theirs
MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(spusk.__path__, "spusk.")
    if not m.name.endswith("__main__") and not m.name.startswith(FOREIGN)
)


def test_importing_spusk_imports_nothing_heavy():
    heavy = [
        "torch",
        "jax",
        "optax",
        "matplotlib",
        "plotly",
        "sklearn",
        "duckdb",
        "dask",
        "onnx",
        "scipy",
        "rich",
        "joblib",
        "llvmlite",
    ]
    code = f"import sys, spusk; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", MODULES)
def test_docstring_examples_run(module):
    failed, _ = doctest.testmod(importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


def test_the_examples_of_the_readme_run():
    failed, attempted = doctest.testfile(
        str(ROOT / "README.md"),
        module_relative=False,
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
    )
    assert attempted > 0
    assert failed == 0


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] + [f"{node.module}.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "spusk" and len(parts) > 1 and parts[1] in ROOMS:
                yield parts[1]


# A Tensor's __array_namespace__ and NumPy's ufuncs lead to spusk.numpy, as the array API standard asks; and
# an initialiser speaks of nn's Parameter, which stands above it.
EXCEPTIONS = {("graph", "numpy")}


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_from_those_above(room):
    allowed = set(ROOMS[: ROOMS.index(room) + 1])
    for path in (Path(spusk.__file__).parent / room).rglob("*.py"):
        for other in imported_rooms(path):
            assert other in allowed or (room, other) in EXCEPTIONS, f"{path.name} of {room} imports {other}"


def test_every_public_name_has_a_docstring():
    for room in [spusk, *(importlib.import_module(f"spusk.{r}") for r in ROOMS)]:
        for name in getattr(room, "__all__", []):
            thing = getattr(room, name)
            if callable(thing) and get_origin(thing) is None:  # a type alias has no docstring of its own
                assert (thing.__doc__ or "").strip(), f"{room.__name__}.{name} has no docstring"
