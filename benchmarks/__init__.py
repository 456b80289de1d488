"""Measures ezkl's default path and ours side by side, each step in a process of its own.

    make bench                                # the models that the project ships
    make bench MODELS=path/to/folder          # and those of a folder
    make conformance MODELS=path/to/folder    # which of them prove and verify on chain

See ``docs/benchmarks.md`` for what is compared and how fair it is.
"""
