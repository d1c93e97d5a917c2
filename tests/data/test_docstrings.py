"""Everything public is explained, and the examples run."""

import doctest
import importlib
import pkgutil

import pytest

import spusk.data

MODULES = ["spusk.data", *(m.name for m in pkgutil.iter_modules(spusk.data.__path__, "spusk.data."))]


@pytest.mark.parametrize("module", MODULES)
def test_examples_print_what_they_say(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@pytest.mark.parametrize("name", sorted(set(spusk.data.__all__) - {"SOURCES"}))
def test_everything_exported_is_documented(name):
    assert getattr(spusk.data, name).__doc__
