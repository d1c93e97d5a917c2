"""Writes docs/methods.md and the README's tables of methods from the code.

python -m tools.reference           # writes both
python -m tools.reference --check   # exit status 1 if one of them is out of date
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from spusk.lab.methods import Entry, StepCost, entries
from spusk.lab.methods.elsewhere import LIBRARIES, versions
from spusk.lab.methods.entry import KINDS
from spusk.lab.methods.words import amount, arithmetic, changes, gradients, memory, preset_note, what_it_means

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/methods.md"
README = ROOT / "README.md"
fill = partial(textwrap.fill, width=116, break_long_words=False, break_on_hyphens=False)
BEGIN, END = "<!-- methods: begin -->", "<!-- methods: end -->"


def page(known: list[Entry]) -> str:
    """The reference page: contents, then a section for each method."""
    costs = {entry.name: cost for entry in known if (cost := entry.cost()) is not None}
    return "\n".join([*_head(), *_contents(known), *_costs(known, costs), *_sections(known, costs)])


def _head() -> Iterator[str]:
    yield "# Methods"
    yield ""
    yield fill(
        "Every optimizer, wrapper, schedule, initialiser and loss: what it computes, its hyperparameters, "
        "how the variants of known libraries differ from it, and what it costs. This page is written from "
        "the code by `python -m tools.reference`; `spusk methods NAME` prints one section of it."
    )
    yield ""
    yield fill(
        "In formulas g is the gradient, t = 1, 2, … the number of the step, α the learning rate, and all "
        'operations are elementwise. `Method.like("torch")` is the method as torch computes it.'
    )
    yield ""


def _contents(known: list[Entry]) -> Iterator[str]:
    yield "## Contents"
    yield ""
    for kind, heading in KINDS.items():
        links = [f"[{_shown(entry)}](#{_anchor(entry)})" for entry in known if entry.kind == kind]
        if links:
            yield f"- **{heading}**: {' · '.join(links)}"
    yield "- [What a step costs](#what-a-step-costs)"
    yield ""


def _costs(known: list[Entry], costs: dict[str, StepCost]) -> Iterator[str]:
    network = next(iter(costs.values())).network
    yield "## What a step costs"
    yield ""
    yield fill(
        "Beside the gradient, for each weight: numbers kept (4 bytes each in float32), and arithmetic "
        f"operations of the compiled update. Counted on the weights and biases of a network {network}; what "
        "methods for matrices need depends on the shapes."
    )
    yield ""
    yield "| method | numbers kept | operations | gradients a step |"
    yield "|---|---:|---:|---:|"
    for entry in known:
        if entry.name in costs:
            cost = costs[entry.name]
            kept = sum(slot.per_weight for slot in cost.slots)
            numbers = (amount(kept) if kept else "0", amount(cost.operations))
            taken = gradients(cost).replace(" a step", "")
            yield f"| [{_shown(entry)}](#{_anchor(entry)}) | {' | '.join(numbers)} | {taken} |"
    yield ""


def _sections(known: list[Entry], costs: dict[str, StepCost]) -> Iterator[str]:
    for kind, heading in KINDS.items():
        yield f"## {heading}"
        yield ""
        for entry in known:
            if entry.kind == kind:
                yield from _section(entry, costs.get(entry.name))


def _section(entry: Entry, cost: StepCost | None) -> Iterator[str]:
    yield f'<a id="{_anchor(entry)}"></a>'
    yield ""
    yield f"### {_shown(entry)}"
    yield ""
    yield _prose(entry.summary)
    yield ""
    yield "```text"
    yield entry.formula
    yield "```"
    yield ""
    for text in (entry.source, *entry.notes):
        yield _prose(text)
        yield ""
    if entry.settings:
        yield f"| {'option' if entry.kind == 'loss' else 'hyperparameter'} | default | allowed | |"
        yield "|---|---|---|---|"
        for s in entry.settings:
            default = "–" if s.default == "required" else f"`{s.default}`"
            yield f"| `{s.name}` | {default} | {_cell(s.allowed)} | {_cell(what_it_means(s.text))} |"
        yield ""
    if entry.presets:
        yield "| preset | differs in | |"
        yield "|---|---|---|"
        told: set[str] = set()
        for preset in entry.presets:
            fields = "<br>".join(_cell(change) for change, _ in changes(preset))
            yield f'| `like("{preset.library}")` | {fields} | {_cell(preset_note(preset, told))} |'
        yield ""
    if cost is not None:
        rates = ", ".join(f"{rate:g}" for rate in entry.lr_grid)
        yield f"**Cost.** Memory: {memory(cost)}. Arithmetic: {arithmetic(cost)}."
        yield f"Gradients: {gradients(cost)}."
        yield f"Comparisons try lr = {rates}."
        yield ""
    if entry.elsewhere:
        there = ", ".join(f"`{found.name}`" for found in entry.elsewhere.values())
        yield f"**Elsewhere.** {there}."
        yield ""


def _shown(entry: Entry) -> str:
    return f"`{entry.title}`"


def _anchor(entry: Entry) -> str:
    return f"{entry.kind}-{entry.name}"


def _prose(text: str) -> str:
    """A docstring's text as Markdown: what is not in backquotes must not become markup."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([*_<\[\]|\\])", r"\\\1", p) for p in parts)


def _cell(text: str) -> str:
    return _prose(text).replace("\n", " ")


def table(known: list[Entry]) -> str:
    """The methods beside other libraries': ● has it, and a preset gives its numbers; ○ has it."""
    of_steps = [e for e in known if e.kind in ("optimizer", "wrapper")]
    schedules = [e for e in known if e.kind == "schedule"]
    laws_and_losses = [e for e in known if e.kind in ("initialiser", "loss")]
    libraries = _libraries([*of_steps, *schedules])
    counts = ", ".join(
        f"{LIBRARIES[library]} {sum(library in e.elsewhere for e in of_steps)}" for library in libraries
    )
    lines = [
        fill(
            f"{len(of_steps)} optimizers and wrappers, {len(schedules)} schedules and {len(laws_and_losses)} "
            "initialisers and losses, each with formula, paper, variants and cost in "
            f"[docs/methods.md](docs/methods.md). Of the optimizers and wrappers, others have: {counts}."
        ),
        "",
        "<details><summary>The catalogue beside other libraries</summary>",
        "",
        fill(
            '● the library has it, and `Method.like("library")` computes the same; ○ it has it; – it does '
            "not, or not under a name that is known here."
        ),
        "",
        f"| | {' | '.join(_heads(libraries))} |",
        "|---|" + ":---:|" * len(libraries),
    ]
    for entry in (*of_steps, *schedules):
        presets = {preset.library for preset in entry.presets}
        cells = [
            "●" if library in presets else "○" if library in entry.elsewhere else "–" for library in libraries
        ]
        lines.append(f"| {entry.title} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_same_names(laws_and_losses), "", "</details>"])


def _same_names(known: list[Entry]) -> Iterator[str]:
    """Initialisers and losses, by what others call the same law and the same number."""
    libraries = _libraries(known)
    yield fill(
        "Initialisers and losses by their names there, with the arguments that make them the same law or the "
        "same number. Optax's losses are those of single examples, not their mean; TensorFlow's `tf.keras` "
        "has Keras's names."
    )
    yield ""
    yield f"| | {' | '.join(_heads(libraries))} |"
    yield "|---|" + "---|" * len(libraries)
    for entry in known:
        there = (entry.elsewhere.get(library) for library in libraries)
        cells = [f"`{found.name.partition('.')[2]}`" if found else "–" for found in there]
        yield f"| {entry.title} | {' | '.join(cells)} |"


def _libraries(known: list[Entry]) -> list[str]:
    """Those that have one of the methods."""
    return [library for library in LIBRARIES if any(library in entry.elsewhere for entry in known)]


def _heads(libraries: list[str]) -> list[str]:
    names = versions()
    return [f"{LIBRARIES[library]} {names[library].partition('+')[0]}" for library in libraries]


def with_table(text: str, content: str) -> str:
    """The README with another table between its two marks."""
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        sys.exit(f"README.md needs the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{content}\n{END}{after}"


def written() -> dict[Path, str]:
    """The files as they should be."""
    known = [entry for entry in entries() if not entry.package]
    readme = README.read_text(encoding="utf-8")
    return {PAGE: page(known).rstrip() + "\n", README: with_table(readme, table(known))}


def main() -> None:
    """Write the files, or check them."""
    files = written()
    if "--check" not in sys.argv[1:]:
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
        return
    stale = [
        path.name
        for path, text in files.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if stale:
        sys.exit(f"{' and '.join(stale)} out of date; run python -m tools.reference")


if __name__ == "__main__":
    main()
