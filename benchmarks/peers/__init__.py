"""Other libraries' sides of the comparisons, each written as its own documentation would have it."""
