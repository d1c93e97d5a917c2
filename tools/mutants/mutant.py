"""A file's mutants: its syntax tree with one node exchanged."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType

from tools.mutants.operators import OPERATORS, Place

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "src"


def module_name(file: Path) -> str:
    """`src/spusk/optim/adam.py` is `spusk.optim.adam`."""
    parts = file.resolve().relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@dataclass(frozen=True)
class Mutant:
    """A change of one place in one file.

    Attributes:
        file: relative to the repository's root.
        function: the qualified name of what the place is in; "" at the level of the module.
        operator: the name of the change.
        before, after: the source text of the place; of what it is in, for a name, a number or a condition.
        line: where it is.
        code: the compiled module.
        digest: of the file's name, its text but for comments, docstrings and imports, and the statement.
    """

    file: str
    function: str
    operator: str
    before: str
    after: str
    line: int
    code: CodeType = field(repr=False)
    digest: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line} {self.function}"
        return f"{where} [{self.operator}] {self.before}  →  {self.after}"


def mutants(file: Path) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its text. Two operators that do the same count once."""
    tree = ast.parse(file.read_text(), str(file))
    name = file.resolve().relative_to(ROOT).as_posix() if file.resolve().is_relative_to(ROOT) else str(file)
    whole = only_formulas(tree)
    number = {id(n): i for i, n in enumerate(n for n in ast.walk(tree) if not isinstance(n, _IMPORTS))}
    seen: set[str] = set()
    for function, holder, key, node, place in list(_places(tree)):
        for operator, change in OPERATORS.items():
            for found in change(node, place):
                new = ast.copy_location(deepcopy(found), node)
                for part in ast.walk(new):
                    if not hasattr(part, "lineno") and "lineno" in part._attributes:
                        ast.copy_location(part, node)
                # A name, a number or a condition does not tell where it stands: what it is in is shown.
                is_word = isinstance(node, ast.Name | ast.Constant) and isinstance(holder, ast.expr)
                is_word |= isinstance(node, ast.Compare) and isinstance(holder, ast.Call)
                before = ast.unparse(holder if is_word else node)
                _put(holder, key, new)
                statement = place.statement
                text = f"{number[id(statement)]} {ast.unparse(statement)}"  # quicker than the whole file
                if text not in seen:
                    seen.add(text)
                    code = compile(tree, str(file), "exec")
                    line = getattr(node, "lineno", 0)
                    after = ast.unparse(holder if is_word else new)
                    digest = hashlib.sha256(f"{name}\n{whole}\n{text}".encode()).hexdigest()[:16]
                    yield Mutant(name, function, operator, before, after, line, code, digest)
                _put(holder, key, node)


def only_formulas(tree: ast.Module) -> str:
    """A module's text without comments, docstrings and imports."""
    tree = deepcopy(tree)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [n for n in body if not (_is_docstring(n) or isinstance(n, _IMPORTS))]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(tree)


_IMPORTS = (ast.Import, ast.ImportFrom, ast.alias)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


Key = tuple[str, int | None]
Found = tuple[str, ast.AST, Key, ast.AST, Place]


def _put(holder: ast.AST, key: Key, node: ast.AST) -> None:
    name, i = key
    if i is None:
        setattr(holder, name, node)
    else:
        getattr(holder, name)[i] = node


def _places(tree: ast.Module) -> Iterator[Found]:
    """Every node that may be changed: by the name of what it is in, its parent, and where it hangs there."""
    yield from _inside(tree, "", Place(tree, tree))


def _inside(node: ast.AST, function: str, place: Place) -> Iterator[Found]:
    for name, content in ast.iter_fields(node):
        if name in _NOT_FORMULA:
            continue
        parts = enumerate(content) if isinstance(content, list) else [(None, content)]
        for i, part in parts:
            if not isinstance(part, ast.AST) or _is_left_alone(part):
                continue
            statement = node if isinstance(node, ast.stmt) else place.statement
            here = replace(_within(node, place), parent=node, statement=statement)
            yield function, node, (name, i), part, here
            inner = f"{function}.{part.name}".lstrip(".") if isinstance(part, _NAMED) else function
            yield from _inside(part, inner, here)


_NAMED = (ast.FunctionDef, ast.ClassDef)
_NOT_FORMULA = {"annotation", "returns", "decorator_list", "type_comment", "ctx", "op", "ops", "type_params"}
_NO_FORMULA = {"lr_grid", "__all__"}


def _is_left_alone(node: ast.AST) -> bool:
    """Imports, errors, docstrings, what a type checker reads, grids of rates, and the `strict` of zip."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Raise() | ast.JoinedStr():
            return True
        case ast.Expr(ast.Constant()) | ast.keyword("strict"):
            return True
        case ast.If(ast.Name("TYPE_CHECKING")):
            return True
        case ast.AnnAssign(ast.Name(name)) | ast.Assign([ast.Name(name)]):
            return name in _NO_FORMULA or "TypeAlias" in ast.unparse(getattr(node, "annotation", node))
        case _:
            return False


def _within(node: ast.AST, place: Place) -> Place:
    """The place of what is inside this node."""
    match node:
        case ast.FunctionDef():
            return replace(place, function=node, slots=_slots(node), is_default=False)
        case ast.AnnAssign(ast.Name("presets")):
            return replace(place, is_preset=True)
        case ast.AnnAssign() if place.function is None and isinstance(place.parent, ast.ClassDef):
            return replace(place, is_default=True, choices=_choices(node.annotation))
        case _:
            return place


def _choices(annotation: ast.expr) -> tuple[str, ...]:
    literals = [
        n.slice
        for n in ast.walk(annotation)
        if isinstance(n, ast.Subscript) and ast.unparse(n.value) == "Literal"
    ]
    return tuple(c.value for s in literals for c in ast.walk(s) if isinstance(c, ast.Constant))


def _slots(function: ast.FunctionDef) -> dict[str, int]:
    read = {n.attr for n in ast.walk(function) if isinstance(n, ast.Attribute)}
    made: dict[str, int] = {}
    for n in ast.walk(function):
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.id in read - _aliases(function):
            made[n.id] = min(n.lineno, made.get(n.id, n.lineno))
    return made


def _aliases(function: ast.FunctionDef) -> set[str]:
    """Variables that are nothing but the slot, as after `d = state["all"].d`."""
    found: set[str] = set()
    for n in ast.walk(function):
        if isinstance(n, ast.Assign):
            targets, values = (x.elts if isinstance(x, ast.Tuple) else [x] for x in (n.targets[0], n.value))
            pairs = zip(targets, values, strict=False)
            found |= {v.attr for t, v in pairs if isinstance(v, ast.Attribute) and ast.unparse(t) == v.attr}
    return found
