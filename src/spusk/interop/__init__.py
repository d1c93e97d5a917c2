"""The optimizers inside other libraries: `spusk.interop.torch` and `spusk.interop.optax`.

Importing this package imports none of them.
"""
