"""Mutation testing: are the tests of update rules and initialisers able to fail?

One formula is changed in one place by a named operator, such as an ε moved across its root, and the file's
tests run. A mutant that they pass is a fault that they would not see.
"""
