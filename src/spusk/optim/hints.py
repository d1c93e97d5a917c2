"""What someone probably meant: names of other libraries and papers, for hints in errors alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from spusk.errors import closest

RULES = {
    "heavyball": "momentum",
    "polyak": "momentum",
    "nag": "nesterov",
    "gd": "gradientdescent",
    "ranger": "lookahead(radam)",
    "schedulefree": "schedulefreeadamw",
    "adamwschedulefree": "schedulefreeadamw",
    "sgdschedulefree": "schedulefreesgd",
    "reducelronplateau": "plateau",
    "clipgradnorm": "clip(adam, global_norm=1)",
    "steplr": "stepdecay",
    "multisteplr": "multistep",
    "exponentiallr": "exponentialdecay",
    "cosineannealinglr": "cosine",
    "sgdr": "warmrestarts",
    "bfgs": "l-bfgs' or 'trust-ncg",
    "newton": "trust-ncg' or 'l-bfgs",
    "newtoncg": "trust-ncg' or 'l-bfgs",
}
"""Our names by others', in small letters and digits."""

FIELDS = {
    "learningrate": ("lr",),
    "lrate": ("lr",),
    "betas": ("beta1", "beta2"),
    "b1": ("beta1",),
    "b2": ("beta2",),
    "epsilon": ("eps",),
    "momentum": ("mu",),
    "initiallearningrate": ("initial",),
    "decaysteps": ("steps",),
    "tmax": ("steps",),
    "totalsteps": ("steps",),
    "stepsize": ("every",),
    "maxlr": ("peak",),
    "decay": ("beta",),
}
"""Our hyperparameters by others' names."""

BESIDE = {
    "momentum": "write momentum(mu=…)",
    "nesterov": "write nesterov(…)",
    "amsgrad": "write amsgrad(…)",
    "weightdecay": "write weightdecay(…) around it",
    "clipvalue": "write clip(…, value=…) around it",
    "clipnorm": "write clip(…, norm=…) around it",
    "globalclipnorm": "write clip(…, global_norm=…) around it",
    "maxgradnorm": "write clip(…, global_norm=…) around it",
    "useema": "write ema(…) around it",
}
"""Hyperparameters elsewhere that are a rule, or a wrapper, here."""


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def for_rule(name: str, known: Iterable[str], presets: Mapping[str, Iterable[str]]) -> str:
    """The end of a sentence about an unknown optimizer.

    Args:
        name: what was asked for.
        known: all names.
        presets: the libraries that a rule has presets of, by the rule's name.

    >>> for_rule("heavyball", ["adam"], {}), for_rule("adam.keras", ["adam"], {"adam": ["keras"]})
    ("; did you mean 'momentum'?", '; did you mean adam.like("keras")?')
    """
    rule, _, library = name.partition(".")
    if library in presets.get(rule.lower(), ()):
        return f'; did you mean {rule}.like("{library}")?'
    if alias := RULES.get(_plain(name)):
        return f"; did you mean '{alias}'?"
    return closest(name, known, otherwise="'spusk methods' lists all")


def for_field(name: str, known: Sequence[str]) -> str:
    """The end of a sentence about an unknown hyperparameter.

    >>> for_field("betas", ["lr", "beta1", "beta2"]), for_field("weight_decay", ["lr"])
    ("; did you mean 'beta1' and 'beta2'?", '; write weightdecay(…) around it')
    """
    ours = FIELDS.get(_plain(name), ())
    if ours and all(field in known for field in ours):
        return f"; did you mean {' and '.join(map(repr, ours))}?"
    if _plain(name) in known:
        return closest(_plain(name), known)
    return f"; {BESIDE[_plain(name)]}" if _plain(name) in BESIDE else closest(name, known)


def mistaken_call(cls: Any, values: Sequence[Any], named: Iterable[str]) -> str:
    """What is wrong with making a class from these values, in a sentence; no text if nothing is.

    >>> from spusk.optim import Cosine, SGD
    >>> mistaken_call(Cosine, [], ["final"])
    'Cosine needs initial and steps, as in cosine(initial=…, steps=…)'
    >>> mistaken_call(SGD, [0.1, 0.2], [])
    'SGD takes one value, lr, and got 2'
    """
    title, named = cls.__name__, list(named)
    known = [f.name for f in fields(cls) if f.init and not f.kw_only]
    settable = [f.name for f in fields(cls) if f.init]
    for name in named:
        if name not in settable:
            return f"{title} has no hyperparameter {name!r}{for_field(name, settable)}"
    if len(values) > len(known):
        takes = f"one value, {known[0]}," if len(known) == 1 else f"{len(known)} values, {', '.join(known)},"
        return f"{title} takes {takes if known else 'no values'} and got {len(values)}"
    if twice := [name for name in known[: len(values)] if name in named]:
        return f"{title} got {twice[0]} twice, by its place and by its name"
    needed = [f.name for f in fields(cls) if f.init and f.default is MISSING and f.default_factory is MISSING]
    missing = [name for name in needed if name not in (*named, *known[: len(values)])]
    if missing:
        call = ", ".join(f"{name}=…" for name in needed)
        return f"{title} needs {' and '.join(missing)}, as in {title.lower()}({call})"
    return ""


def file_alone(text: str) -> str:
    """What to write instead of a Python file without a name in it; no text if there is none.

    The file is not run: names are those of the classes at its top level.
    """
    found = re.search(r"([^,()=\s]+\.py)(?!:?\w)", text)
    if found is None:
        return ""
    file = found.group(1)
    try:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return f"write {file}:NAME, with the name of a rule in that file"
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    return f"write {file}:NAME; it defines {', '.join(names) if names else 'no class'}"
