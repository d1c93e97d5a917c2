"""A mutated module in place of the one on disk, in a process that has imported the package already."""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import sys
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType


@cache
def dependents(name: str) -> frozenset[str]:
    """The module and every imported one that imports it, directly or not; its packages are among them."""
    imports = {m: _imported(m) for m in sys.modules if m == "spusk" or m.startswith("spusk.")}
    found = {name}
    while more := {m for m, others in imports.items() if m not in found and others & found}:
        found |= more
    return frozenset(found)


def replace_module(name: str, code: CodeType, stale: frozenset[str]) -> None:
    """Forget the stale modules and import the package anew, with this code as the named module."""
    kept = {m: module for m, module in sys.modules.items() if m.startswith("spusk.") and m not in stale}
    for module in stale:
        sys.modules.pop(module, None)
    sys.meta_path.insert(0, _Instead(name, code))
    importlib.import_module("spusk")
    importlib.import_module(name)
    for module in stale:
        importlib.import_module(module)
    for child, module in kept.items():
        parent, _, last = child.rpartition(".")
        if not hasattr(
            sys.modules[parent], last
        ):  # `spusk.graph.backprop` is a module and, there, its function
            setattr(sys.modules[parent], last, module)


class _Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, name: str, code: CodeType) -> None:
        self.name, self.code = name, code

    def find_spec(
        self, fullname: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=self.code.co_filename)
        spec.has_location = True
        return spec

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)


@cache
def _imported(name: str) -> set[str]:
    """The modules that a module's text imports, and the packages' own children for a package."""
    file = getattr(sys.modules[name], "__file__", None)
    if file is None:
        return set()
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(file).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found | {m for m in sys.modules if m.startswith(f"{name}.")}
