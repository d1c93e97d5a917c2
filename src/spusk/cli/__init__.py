"""The command `spusk`: it parses, calls, prints."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any, NoReturn

from spusk.errors import SpuskError


def main() -> None:
    """Run the command line; an error of the user's is one sentence and exit status 2."""
    import typer

    from spusk.cli.app import app
    from spusk.optim.plugins import PluginWarning

    def warn(message: Warning | str, category: type[Warning], *where: Any) -> None:
        if category is PluginWarning:  # ours are sentences; others say where they come from
            print(f"spusk: {message}", file=sys.stderr)
        else:
            usual(message, category, *where)

    usual, warnings.showwarning = warnings.showwarning, warn
    try:
        status = app(sys.argv[1:] or ["--help"], prog_name="spusk", standalone_mode=False)
        sys.stdout.flush()  # a full disk is told here, not by the interpreter at its end
        sys.exit(status)
    except SpuskError as error:
        _refuse(str(error))
    except MemoryError as error:
        _refuse(f"there is not enough memory for this: {error}")
    except OSError as error:
        if error.filename is not None:
            raise
        _drop_output()
        if isinstance(error, BrokenPipeError):  # who reads has seen enough
            sys.exit(1)
        _refuse(f"cannot write the output: {(error.strerror or str(error)).lower()}")
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except Exception as error:  # a wrong option or command; typer's own class for it has no public name
        if not hasattr(error, "format_message"):
            raise
        _refuse(error.format_message())  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
    finally:
        warnings.showwarning = usual


def _drop_output() -> None:
    """What is still to be written to standard output goes nowhere, so that no second error follows."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _refuse(sentence: str) -> NoReturn:
    print(f"spusk: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(2)


__all__ = ["main"]
