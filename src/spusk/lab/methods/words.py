"""What is known of a method in words, for the terminal and for the reference page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spusk.lab.methods.costs import StepCost
from spusk.lab.methods.elsewhere import Elsewhere
from spusk.lab.methods.entry import Entry, Preset


def call(entry: Entry) -> str:
    """The method as Python code names it."""
    return entry.title


def what_it_means(text: str) -> str:
    """The text of a field without its default, which stands beside it.

    >>> what_it_means("the learning rate α > 0; default 0.001.")
    'the learning rate α > 0'
    >>> what_it_means("how many; default 10; 1 is none.")
    'how many; 1 is none'
    """
    parts = re.split(r"(?<=[;,]) (?=default )|(?<=;) ", text.rstrip("."))
    kept = ""
    for part in parts:
        if re.fullmatch(r"default \S+?[;,]?", part):
            kept = kept.rstrip(";,") + part[-1] if part[-1] in ";," else kept.rstrip(";,")
        else:
            kept += f" {part}" if kept else part
    return kept


def changes(preset: Preset) -> Iterator[tuple[str, str]]:
    """The fields in which a preset differs, each with both values; and what the field means."""
    for change in preset.changes:
        meaning = what_it_means(change.text) if change.value in ("True", "False") else ""
        yield f"{change.field} {change.default} → {change.value}", meaning
    if not preset.changes:
        yield "the defaults", ""


def preset_note(preset: Preset, told: set[str]) -> str:
    """What the docstring says about the preset's library, unless that was told before."""
    if preset.about in told:
        return ""
    told.add(preset.about)
    return preset.about


def amount(x: float) -> str:
    """A number per weight: whole where it is, else with three digits.

    >>> amount(2.00003), amount(1.334), amount(0.0078), amount(1234.5)
    ('2', '1.33', '0.0078', '1,230')
    """
    if abs(x - round(x)) < 1e-3 and round(x):
        return f"{round(x):,}"
    return f"{x:.3g}" if x < 1000 else f"{float(f'{x:.3g}'):,.0f}"


def memory(cost: StepCost) -> str:
    """What a rule keeps.

    >>> from spusk.lab.methods import step_cost
    >>> from spusk.optim import SGD, Nadam
    >>> memory(step_cost(SGD())), memory(step_cost(Nadam()))
    ('nothing', 'm, v: 2 numbers a weight, 8 bytes in float32; product: 6 numbers in all')
    """
    large = [s for s in cost.slots if s.per_weight > 1e-3]
    small = [s for s in cost.slots if s.per_weight <= 1e-3]
    parts: list[str] = []
    if large:
        names = ", ".join(
            s.name if abs(s.per_weight - 1) < 1e-3 else f"{s.name} ({amount(s.per_weight)})" for s in large
        )
        numbers = sum(s.per_weight for s in large)
        word = "number" if amount(numbers) == "1" else "numbers"
        parts.append(f"{names}: {amount(numbers)} {word} a weight, {amount(cost.bytes)} bytes in float32")
    if small:
        count = sum(s.total for s in small)
        parts.append(f"{', '.join(s.name for s in small)}: {count:,} number{'s' * (count > 1)} in all")
    return "; ".join(parts) + _in_network(cost) if parts else "nothing"


def arithmetic(cost: StepCost) -> str:
    """What the update computes."""
    return f"{amount(cost.operations)} operations a weight" + _in_network(cost)


def gradients(cost: StepCost) -> str:
    """How often a step evaluates derivatives."""
    text = f"{cost.gradients} a step"
    return f"{text}, and {cost.curvatures} with the Hessian" if cost.curvatures else text


def _in_network(cost: StepCost) -> str:
    """Where numbers depend on the shapes of the weights, the network that they were counted in."""
    uneven = any(s.per_weight > 0.001 and abs(s.per_weight - round(s.per_weight)) > 1e-3 for s in cost.slots)
    return f" (in a network {cost.network})" if uneven or cost.operations > 200 else ""


def names_there(there: Elsewhere) -> list[str]:
    """The method in another library: what one imports, and the hyperparameters that have other names."""
    same = [ours for ours, theirs in there.arguments.items() if ours == theirs]
    other = [f"{ours} is {theirs}" for ours, theirs in there.arguments.items() if ours != theirs]
    lines = [there.name]
    if same or other:
        lines.append(", ".join([*other, *(f"{name}" for name in same)]))
    return lines
