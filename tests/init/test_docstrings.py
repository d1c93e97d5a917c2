"""Docstrings keep the form that `spusk methods` reads, and their examples run."""

import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import spusk.init
from spusk.init import CATALOGUE

MODULES = ["spusk.init", *(m.name for m in pkgutil.iter_modules(spusk.init.__path__, "spusk.init."))]


@pytest.mark.parametrize("cls", CATALOGUE.values(), ids=list(CATALOGUE))
def test_a_docstring_gives_a_summary_a_formula_and_a_source(cls):
    paragraphs = inspect.cleandoc(cls.__doc__).split("\n\n")
    summary, formula = paragraphs[:2]
    sources = [" ".join(p.split()) for p in paragraphs if p.startswith("Source: ")]

    assert summary.endswith(".")
    assert "\n" not in summary
    assert all(line.startswith("    ") for line in formula.splitlines())
    assert len(sources) == 1
    assert re.fullmatch(r'Source: .+, \d{4}, ".+", .+\.', sources[0])
    assert ">>> " in cls.__doc__


@pytest.mark.parametrize("cls", CATALOGUE.values(), ids=list(CATALOGUE))
def test_the_defaults_are_those_that_the_docstring_tells(cls):
    described = inspect.cleandoc(cls.__doc__).partition("Args:")[2].partition("Raises:")[0]
    told = {}
    for entry in re.split(r"\n    (?=\w+: )", described):
        name, _, text = entry.strip().partition(": ")
        if number := re.search(r"default ([.\d]*\d)", text):
            told[name] = float(number[1])
        elif word := re.search(r'`"(\w+)"` \(default\)', text):
            told[name] = word[1]
    defaults = {f.name: f.default for f in dataclasses.fields(cls) if f.default is not dataclasses.MISSING}
    assert defaults == told


@pytest.mark.parametrize("module", MODULES)
def test_examples_print_what_they_say(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def test_everything_exported_is_documented():
    for name in set(spusk.init.__all__) - {"CATALOGUE", "Init"}:
        assert getattr(spusk.init, name).__doc__


def test_the_module_warns_of_zeros():
    assert "zeros keep neurons identical" in spusk.init.__doc__
