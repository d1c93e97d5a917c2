"""Docstrings keep the form that `spusk methods` reads, and their examples run."""

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import spusk.nn
from spusk.nn import losses

MODULES = ["spusk.nn", *(m.name for m in pkgutil.walk_packages(spusk.nn.__path__, "spusk.nn."))]


@pytest.mark.parametrize("loss", losses.CATALOGUE.values(), ids=list(losses.CATALOGUE))
def test_a_loss_gives_a_summary_a_formula_a_source_and_an_example(loss):
    summary, formula, source, *rest = inspect.cleandoc(loss.__doc__).split("\n\n")

    assert summary.endswith(".")
    assert "\n" not in summary
    assert all(line.startswith("    ") for line in formula.splitlines())
    assert re.match(r'Source: .+, \d{4}, ".+"\.?', " ".join(source.split()))
    assert [p.partition(":")[0] for p in rest[:3]] == ["Args", "Returns", "Raises"]
    assert rest[3].startswith(">>> ")


@pytest.mark.parametrize("module", MODULES)
def test_examples_print_what_they_say(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@pytest.mark.parametrize("name", [n for n in spusk.nn.__all__ if n not in ("losses", "Parameter", "Scope")])
def test_everything_exported_is_documented_with_an_example(name):
    assert ">>> " in getattr(spusk.nn, name).__doc__
