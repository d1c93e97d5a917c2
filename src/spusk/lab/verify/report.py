"""Findings as a table of text."""

from __future__ import annotations

from collections.abc import Sequence

from spusk.lab.verify.finding import Finding

HEADS = ("", "what", "expected", "found", "deviation", "allowed", "")
ABOUT = "A line is a number that a paper or exact arithmetic gives, and what Spusk computes for it."
RIGHT = {2, 3, 4, 5}
FINE = 1e-4  # below this, deviations are powers of ten, not per cent


def findings_text(findings: Sequence[Finding]) -> str:
    """What a line is, a line for every finding, the sources, and how many hold.

    >>> print(findings_text([Finding("sgd", "loss", 2.0, 2.1, 0.01, "A book, 1986")]))
    A line is a number that a paper or exact arithmetic gives, and what Spusk computes for it.
    <BLANKLINE>
         what  expected  found  deviation  allowed
    sgd  loss         2    2.1   +5.000 %      1 %  misses
    <BLANKLINE>
    sgd: A book, 1986
    0 of 1 number holds.
    """
    rows = [HEADS, *(_cells(f, before) for f, before in zip(findings, [None, *findings], strict=False))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
    lines = [
        "  ".join(
            cell.rjust(width) if i in RIGHT else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([ABOUT, "", *lines, "", *_sources(findings), _verdict(findings)])


def _cells(finding: Finding, before: Finding | None) -> tuple[str, ...]:
    is_new = before is None or before.name != finding.name
    return (
        finding.name if is_new else "",
        finding.what,
        f"{finding.expected:.7g}",
        f"{finding.found:.7g}",
        _share(finding.deviation, finding.allowed, signed=True),
        _share(finding.allowed, finding.allowed),
        "" if finding.holds else "misses",
    )


def _share(value: float, scale: float, *, signed: bool = False) -> str:
    if scale < FINE:
        return f"{value:+.1e}" if signed else f"{value:.0e}"
    return f"{100 * value:+.3f} %" if signed else f"{100 * value:g} %"


def _sources(findings: Sequence[Finding]) -> list[str]:
    """Every source once, with what is from it."""
    names: dict[str, list[str]] = {}
    for f in findings:
        names.setdefault(f.source, [])
        if f.name not in names[f.source]:
            names[f.source].append(f.name)
    return [f"{', '.join(of)}: {source}" for source, of in names.items()]


def _verdict(findings: Sequence[Finding]) -> str:
    held, n = sum(f.holds for f in findings), len(findings)
    return f"{held} of {n} number{'s hold' if n != 1 else ' holds'}."
