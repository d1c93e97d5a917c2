"""Measurements of Spusk, and side-by-side comparisons with peers: `python -m benchmarks NAME`.

How a comparison is made. Every contender, ours as well as a peer's, is a factory of a `Trial` and lives in a
process of its own (`worker`), which may use so many cores and no others. `timing.race` asks them in turn for
one repeat each, A B C A B C …, so that what else happens on the machine meets all alike, and takes medians.
Beside the contenders runs a ceiling: what the machine's own matrix product or memory copy reaches
(`ceilings`). Each contender also gives evidence, such as the losses of its batches, that it did the same
work (`agreement`). `table` makes Markdown and JSON of it.

A new benchmark is a module here with a docstring and `run(options)`, and its name in `__main__.BENCHMARKS`;
a new peer is a factory in `peers/` and a `Contender` in the benchmark.
"""
