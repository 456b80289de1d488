"""Finds the cheapest circuits of a model that keep to an accuracy bound.

:mod:`search` looks for circuits of one inference and :mod:`batches` for those of several, both in
the subprocess; :mod:`trials` makes real proofs with the best of them. ``docs/planner.md`` explains
it all.
"""
