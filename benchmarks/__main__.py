"""`python -m benchmarks NAME`: run one benchmark, print its tables, and write its figures where asked.

A benchmark is a module of this package with a docstring and a function `run(options) -> (text, data)`: a
Markdown report to print and the same figures as plain data for `--json`. Its name goes into BENCHMARKS.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import spusk
from benchmarks import backend
from benchmarks.options import Options
from spusk import optim
from spusk.errors import closest

BENCHMARKS = ("steps", "lanes", "optimizers", "compile", "depth", "compare", "products", "start")
EITHER_BACKEND = ("steps", "lanes", "optimizers", "compile")
PACKAGES = ("numpy", "scipy", "scikit-learn", "llvmlite", "torch", "jax", "optax", "pytorch_optimizer")
CPU = Path("/proc/cpuinfo")


def machine() -> dict[str, str]:
    """What the figures depend on."""
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "spusk": f"{spusk.__version__}, backend {backend.name()}",
        "python": platform.python_version(),
        **{name: found for name in PACKAGES if (found := _version(name))},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, {_cpu()}",
        "load at the start": load,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    """The processor's name, where the system tells it."""
    lines = CPU.read_text(errors="replace").splitlines() if CPU.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure Spusk, side by side with peers on the same work.",
        epilog="Example: python -m benchmarks steps --quick --json steps.json --markdown steps.md",
    )
    commands = result.add_subparsers(dest="name", required=True, metavar="NAME")
    for name in BENCHMARKS:
        described = importlib.import_module(f"benchmarks.{name}").__doc__ or ""
        command = commands.add_parser(
            name,
            help=described.splitlines()[0],
            description=described,
            epilog=f"Example: python -m benchmarks {name} --quick --json {name}.json",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_argument("--quick", action="store_true", help="fewer repeats and smaller sizes")
        command.add_argument("--repeats", type=_positive, metavar="N", help="repeats of each measurement")
        command.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")
        command.add_argument("--markdown", type=Path, metavar="FILE", help="write the report to this file")
        if name in EITHER_BACKEND:
            command.add_argument(
                "--backend", choices=("native", "numpy"), help="what runs our programs; default native"
            )
        if name == "optimizers":
            command.add_argument(
                "--only", type=_methods, default=(), metavar="NAME,…", help="methods of the catalogue"
            )
            command.add_argument(
                "--cores", type=_positive, nargs="+", default=(), metavar="N", help="numbers of cores, as 1 2"
            )
        if name == "compare":
            command.add_argument("--full", action="store_true", help="also the study of 1,690 trainings")
    return result


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _methods(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(","))
    for name in names:
        if name not in optim.CATALOGUE:
            raise argparse.ArgumentTypeError(f"{name!r} is not a method{closest(name, optim.CATALOGUE)}")
    return names


def main(arguments: Sequence[str] | None = None) -> None:
    given = parser().parse_args(arguments)
    options = Options(
        quick=given.quick,
        repeats=given.repeats,
        full=getattr(given, "full", False),
        only=getattr(given, "only", ()),
        cores=tuple(getattr(given, "cores", ())),
    )
    if getattr(given, "backend", None) is not None:
        backend.choose(given.backend)
    conditions = machine()
    text, data = importlib.import_module(f"benchmarks.{given.name}").run(options)
    title = f"# {given.name}" + (" (quick: the times mean little)" if options.quick else "")
    told = "; ".join(f"{name} {value}" for name, value in conditions.items())
    report = f"{title}\n\n{told}\n\n{text}\n"
    print(report, end="")
    if given.markdown is not None:
        given.markdown.write_text(report, encoding="utf-8")
    if given.json is not None:
        content: dict[str, Any] = {
            "benchmark": given.name,
            "quick": options.quick,
            "machine": conditions,
            **data,
        }
        given.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
