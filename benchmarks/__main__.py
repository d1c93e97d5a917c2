"""`python -m benchmarks NAME [--quick] [--json FILE]`: run one benchmark and print its table.

A benchmark is a module of this package with a docstring and a function `run(quick) -> (text, data)`: a
Markdown report to print and the same figures as plain data for `--json`. Its name goes into BENCHMARKS.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np

import spusk

BENCHMARKS = ("depth", "products", "start")


def machine() -> dict[str, str]:
    """What the figures depend on."""
    return {
        "spusk": spusk.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Spusk.")
    commands = result.add_subparsers(dest="name", required=True, metavar="NAME")
    for name in BENCHMARKS:
        module = importlib.import_module(f"benchmarks.{name}")
        summary = (module.__doc__ or "").splitlines()[0]
        command = commands.add_parser(name, help=summary, description=module.__doc__)
        command.add_argument("--quick", action="store_true", help="fewer repetitions and smaller sizes")
        command.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")
    return result


def main(arguments: list[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    text, data = importlib.import_module(f"benchmarks.{options.name}").run(quick=options.quick)
    print(text)
    if options.json is not None:
        content: dict[str, Any] = {"benchmark": options.name, "machine": machine(), **data}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
