"""Names that are loaded when they are asked for: as if they had been imported, but for the time."""

import ast
import importlib
import pickle
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import spusk
from spusk import optim
from spusk.lazy import ByName

SOURCE = Path(spusk.__file__).parent
LAZY = [
    ".".join(["spusk", *path.parent.relative_to(SOURCE).parts])
    for path in sorted(SOURCE.rglob("__init__.py"))
    if "lazy(" in path.read_text()
]


def imports_for_type_checkers(package):
    """Name and module of every import that the package makes for type checkers only."""
    tree = ast.parse(Path(package.__file__).read_text())
    (block,) = [
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    for statement in block.body:
        assert isinstance(statement, ast.ImportFrom)
        for alias in statement.names:
            if alias.name == "*":
                yield from (
                    (name, statement.module) for name in importlib.import_module(statement.module).__all__
                )
            else:
                assert alias.asname == alias.name, f"{alias.name} is no public name for type checkers"
                yield alias.name, statement.module


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_methods_are_loaded_when_they_are_asked_for():
    assert LAZY == ["spusk.init", "spusk.optim", "spusk.optim.schedules", "spusk.optim.wrappers"]


@pytest.mark.parametrize("name", LAZY)
def test_type_checkers_see_the_names_that_there_are(name):
    package = importlib.import_module(name)
    seen = list(imports_for_type_checkers(package))
    assert sorted(name for name, _ in seen) == sorted(package.__all__)
    for thing, module in seen:
        assert getattr(package, thing) is getattr(importlib.import_module(module), thing)


@pytest.mark.parametrize("name", LAZY)
def test_a_package_lists_its_names_before_they_are_loaded(name):
    code = f"import {name} as p; print(set(p.__all__) <= set(dir(p)))"
    assert run(code).stdout.strip() == "True"


@pytest.mark.parametrize("name", LAZY)
def test_a_star_import_brings_every_name(name):
    found = {}
    exec(f"from {name} import *", found)
    assert set(importlib.import_module(name).__all__) <= set(found)


def test_a_rule_is_loaded_when_it_is_asked_for():
    code = (
        "import sys, spusk as sp\n"
        "loaded = lambda: [m for m in ('lion', 'sgd', 'wrappers.clip') if f'spusk.optim.{m}' in sys.modules]\n"
        "print(loaded()); sp.optim.Lion; print(loaded()); sp.optim.get('clip'); print(loaded())"
    )
    assert run(code).stdout.splitlines() == ["[]", "['lion']", "['lion', 'wrappers.clip']"]


def test_a_text_loads_the_rules_that_it_names():
    code = (
        "import sys; from spusk.optim.text import read; read('sgd(lr=polynomial(0.1, steps=9))')\n"
        "print([m for m in ('sgd', 'lion', 'schedules.cosine', 'schedules.polynomial') if f'spusk.optim.{m}' in sys.modules])"
    )
    assert run(code).stdout.strip() == "['sgd', 'schedules.polynomial']"


def test_a_pickled_rule_is_read_where_nothing_is_imported():
    rule = optim.Clip(optim.Adam(lr=optim.Cosine(0.1, steps=9)), norm=1.0)
    code = f"import pickle; print(pickle.loads({pickle.dumps(rule)!r}))"
    assert run(code).stdout.strip() == repr(rule)


@pytest.mark.parametrize("name", LAZY)
def test_python_suggests_the_name_that_was_meant(name):
    known = max(importlib.import_module(name).__all__, key=len)
    wrong = known[:-1]
    error = run(f"import {name} as p; p.{wrong}").stderr
    assert f"module {name!r} has no attribute {wrong!r}. Did you mean: {known!r}?" in error


def test_help_shows_the_rules():
    text = pydoc.render_doc(optim, renderer=pydoc.plaintext)
    assert "class Adam(" in text
    assert "class Join(" in text


def test_things_by_name_are_a_mapping_in_order():
    rules = ByName("spusk.optim", ["SGD", "Adam"])
    assert dict(rules) == {"sgd": optim.SGD, "adam": optim.Adam}
    assert list(rules) == ["sgd", "adam"]
    assert len(rules) == 2
    assert "SGD" not in rules
    assert rules.get("lion") is None
    with pytest.raises(KeyError):
        rules["lion"]
    assert repr(rules) == f"{{'sgd': {optim.SGD!r}, 'adam': {optim.Adam!r}}}"
