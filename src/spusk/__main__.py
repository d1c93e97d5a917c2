"""`python -m spusk`."""

from spusk.cli import main

main()
