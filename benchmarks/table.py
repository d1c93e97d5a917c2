"""What is reported: a row for each work, with the target it should reach, as Markdown and as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.timing import Absent, Outcome, ratio


@dataclass(frozen=True)
class Target:
    """What a row should reach.

    Args:
        at_most: our figure, in the row's unit.
        at_least: our figure, in the row's unit, where more is better.
        ratios: peer's name -> how many times faster than it we should be, at least.
        between: (one column, another) -> how many times faster the one should be than the other, at least;
            for columns of ours beside the first.
    """

    at_most: float | None = None
    at_least: float | None = None
    ratios: Mapping[str, float] = field(default_factory=dict[str, float])
    between: Mapping[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])

    def __str__(self) -> str:
        parts = [f"≤ {self.at_most:g}"] if self.at_most is not None else []
        parts += [f"≥ {self.at_least:g}"] if self.at_least is not None else []
        parts += [f"≥ {least:g}× {name}" for name, least in self.ratios.items()]
        parts += [f"{one} ≥ {least:g}× {other}" for (one, other), least in self.between.items()]
        return "; ".join(parts) or "–"

    def reached(self, ours: float | None, ratios: Mapping[str, float | None]) -> str:
        """ "yes", "no", "unknown" (figures are missing for what else would be yes), or "–" without target."""
        if str(self) == "–":
            return "–"
        checks = [None if ours is None else ours <= self.at_most] if self.at_most is not None else []
        checks += [None if ours is None else ours >= self.at_least] if self.at_least is not None else []
        for name, least in self.ratios.items():
            found = ratios.get(name)
            checks.append(None if found is None else found >= least)
        for pair, least in self.between.items():
            found = between(pair, ratios)
            checks.append(None if found is None else found >= least)
        if any(check is False for check in checks):
            return "no"
        return "unknown" if None in checks else "yes"


def between(pair: tuple[str, str], ratios: Mapping[str, float | None]) -> float | None:
    """How many times faster the first column is than the second, from their times over ours."""
    one, other = (ratios.get(name) for name in pair)
    return None if one is None or other is None else other / one


@dataclass(frozen=True)
class Row:
    """One work, measured.

    Args:
        work: what is done, and on how many cores.
        unit: of all its figures.
        ours: our outcome, seconds a unit of work.
        peers: theirs, by name.
        scale: what turns seconds into the unit, or amounts a second into it (see `rate`).
        rate: None for times; else how much is done in a unit of work, and figures are scale · rate / seconds.
        ceiling: the machine's limit in words, with its figure.
        deviations: how far each peer's results are from ours (`agreement.deviations`).
        tolerance: the deviation up to which it counts as the same work.
    """

    work: str
    unit: str
    ours: Outcome
    peers: Mapping[str, Outcome] = field(default_factory=dict[str, Outcome])
    target: Target = field(default_factory=Target)
    scale: float = 1e6
    rate: float | None = None
    ceiling: str = "–"
    deviations: Mapping[str, float | None] = field(default_factory=dict[str, Any])
    tolerance: float = 1e-2

    def figure(self, outcome: Outcome) -> float | None:
        """The median in the row's unit."""
        if isinstance(outcome, Absent):
            return None
        return self.scale * (outcome.median if self.rate is None else self.rate / outcome.median)

    @property
    def ratios(self) -> dict[str, float | None]:
        """Peer's time / ours, by name."""
        return {name: ratio(peer, self.ours) for name, peer in self.peers.items()}

    @property
    def reached(self) -> str:
        return self.target.reached(self.figure(self.ours), self.ratios)

    @property
    def between(self) -> dict[tuple[str, str], float | None]:
        """What the target's pairs of columns came to."""
        return {pair: between(pair, self.ratios) for pair in self.target.between}

    @property
    def agreements(self) -> dict[str, str]:
        """For each peer whose results are known, its deviation in words."""
        return {
            name: f"{found:.1e}" + ("" if found <= self.tolerance else " – NOT THE SAME WORK")
            for name, found in self.deviations.items()
            if found is not None
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data for JSON."""
        return {
            "work": self.work,
            "unit": self.unit,
            "ours": self._plain(self.ours),
            "peers": {name: self._plain(peer) for name, peer in self.peers.items()},
            "ratios": self.ratios,
            "target": str(self.target),
            "between": {" / ".join(reversed(pair)): found for pair, found in self.between.items()},
            "reached": self.reached,
            "ceiling": self.ceiling,
            "deviations": dict(self.deviations),
        }

    def _plain(self, outcome: Outcome) -> dict[str, Any]:
        if isinstance(outcome, Absent):
            return {"absent": outcome.reason}
        return {
            "median": self.figure(outcome),
            "spread": outcome.spread,
            "seconds": list(outcome.seconds),
            "first_seconds": outcome.first,
            "note": outcome.note,
        }


def markdown(rows: Sequence[Row]) -> str:
    """The rows as a table, and below it what it leaves open: absent peers, notes, deviations."""
    names = list(dict.fromkeys(name for row in rows for name in row.peers))
    headings = ["work", "unit", "ours", *names, "ratio", "target", "reached", "ceiling"]
    lines = [f"| {' | '.join(headings)} |", f"|---|---|{'---:|' * (1 + len(names))}---|---|---|---|"]
    lines += [f"| {' | '.join(_cells(row, names))} |" for row in rows]
    remarks = [remark for row in rows for remark in _remarks(row)]
    lines += ["", "Ratio: peer time / ours. Medians of interleaved repeats.", *_once(remarks)]
    return "\n".join(lines)


def number(value: float | None) -> str:
    """Three significant digits, without exponents; – for nothing."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _cells(row: Row, names: Sequence[str]) -> list[str]:
    figures = [number(row.figure(row.peers[name])) if name in row.peers else "" for name in names]
    ratios = [f"{name} {number(found)}×" for name, found in row.ratios.items() if found is not None]
    pairs = {f"{other} / {one}": found for (one, other), found in row.between.items()}
    ratios += [f"{pair} {number(found)}×" for pair, found in pairs.items() if found is not None]
    return [
        row.work,
        row.unit,
        number(row.figure(row.ours)),
        *figures,
        ", ".join(ratios) or "–",
        str(row.target),
        row.reached,
        row.ceiling,
    ]


def _remarks(row: Row) -> list[str]:
    """What the table's cells cannot hold, a line each."""
    found: list[str] = []
    for name, outcome in {"ours": row.ours, **row.peers}.items():
        if isinstance(outcome, Absent):
            # A package that is missing is missing everywhere, and so is what an option leaves out; other
            # reasons belong to the row.
            general = outcome.reason.endswith(": not installed") or "--" in outcome.reason
            found.append(
                f"- {outcome.reason} ({name})" if general else f"- {row.work}: {name}: {outcome.reason}"
            )
        elif outcome.note:
            found.append(f"- {row.work}: {name}: {outcome.note}")
    if row.agreements:
        told = ", ".join(f"{name} {words}" for name, words in row.agreements.items())
        found.append(f"- {row.work}: deviation from our results: {told}")
    return found


def _once(lines: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(lines))


def data(rows: Sequence[Row]) -> dict[str, Any]:
    """The rows as plain data for JSON."""
    return {"rows": [row.to_dict() for row in rows]}
