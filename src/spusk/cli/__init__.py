"""The command `spusk`: it parses, calls, prints."""

from __future__ import annotations

import sys

from spusk.errors import SpuskError


def main() -> None:
    """Run the command line; an error of the user's is one sentence and exit status 2."""
    from spusk.cli.app import app

    try:
        app()
    except SpuskError as error:
        print(f"spusk: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


__all__ = ["main"]
