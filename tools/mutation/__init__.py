"""Mutation testing of four packages: ``python -m tools.mutation PACKAGE``.

A mutant is a source with one small change. The score is the share of mutants that fail a test.
"""
