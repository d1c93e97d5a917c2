"""A method's docstring taken apart: summary, formula, source, notes, and a text for each field."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Of a library's name in `presets`, what docstrings call it.
CALLED = {
    "tf1": ("tensorflow 1", "tensorflow"),
    "tf-contrib": ("tf-contrib", "tf.contrib", "contrib"),
    "authors": ("the authors", "authors'", "their code"),
    "authors-tf": ("authors' tensorflow", "authors' code for tensorflow", "tensorflow"),
    "ema": ("average",),
}


@dataclass(frozen=True)
class Docstring:
    """What the docstring of a method says.

    Attributes:
        summary: its first sentence, in one line.
        formula: the indented block after it, line by line.
        source: paper, section, equation.
        notes: the paragraphs between source and arguments.
        arguments: the text of each argument, in one line.
    """

    summary: str
    formula: str
    source: str
    notes: tuple[str, ...]
    arguments: Mapping[str, str]

    def about(self, library: str) -> str:
        """The sentences of the notes that speak of a library; no text if there are none.

        >>> from spusk.optim import Adagrad
        >>> parsed(Adagrad).about("keras")
        'Optax and keras begin with s = 0.1; optax makes the step exactly 0 where s = 0.'
        """
        names = CALLED.get(library, (library,))
        sentences = [s for note in self.notes for s in _sentences(note)]
        found = [s for s in sentences if any(_speaks_of(s, name) for name in names)]
        return " ".join(found)


def parsed(thing: Any) -> Docstring:
    """The docstring of a class or a function, taken apart.

    >>> from spusk.optim import Momentum
    >>> doc = parsed(Momentum)
    >>> doc.summary, doc.formula.splitlines()[1]
    ("Polyak's heavy ball: a velocity that remembers past gradients.", 'w ← w + v')
    >>> doc.arguments["mu"]
    'the momentum μ in [0, 1); default 0.9.'
    """
    text = _own_text(thing)
    summary, _, rest = text.partition("\n\n")
    formula = re.match(r"((?:    .*\n?|\n)+)", rest)
    blocks = re.split(r"\n\n(?!    )", rest[formula.end() :] if formula else rest)
    source, notes, arguments = "", list[str](), dict[str, str]()
    for block in blocks:
        if re.match(r"Sources?: ", block):
            source = _line(block.partition(": ")[2])
        elif block.startswith("Args:"):
            arguments = _arguments(block)
        elif block.strip() and not re.match(r">>>|Returns:|Raises:|Class attributes:|Attributes:", block):
            notes.append(_line(block))
    return Docstring(
        _line(summary),
        textwrap.dedent(formula.group(1)).strip("\n") if formula else "",
        source,
        tuple(notes),
        arguments,
    )


def _own_text(thing: Any) -> str:
    """The docstring of the thing itself: not its base's, nor the signature that a dataclass puts there."""
    text = thing.__dict__.get("__doc__") if isinstance(thing, type) else thing.__doc__
    text = inspect.cleandoc(text or "")
    return "" if text.startswith(f"{thing.__name__}(") else text


def _line(text: str) -> str:
    return " ".join(text.split())


def _sentences(text: str) -> list[str]:
    """Sentences end with a full stop before a capital, unless that follows an abbreviation or an initial."""
    return re.split(r"(?<=\.)(?<!\b[A-Z]\.)(?<!eq\.)(?<!al\.)(?<!Fig\.)(?<!vs\.)\s+(?=[A-Z])", text)


def _speaks_of(sentence: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", sentence.lower()) is not None


def _arguments(block: str) -> dict[str, str]:
    """The text of every argument, continued on lines that are indented further."""
    found: dict[str, str] = {}
    name = ""
    for line in block.splitlines()[1:]:
        if start := re.match(r"    (\w+(?:, \w+)*): (.*)", line):
            name = start.group(1)
            found[name] = start.group(2)
        elif name:
            found[name] += " " + line.strip()
    return {n: _line(text) for names, text in found.items() for n in names.split(", ")}
