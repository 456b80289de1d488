"""The index by HTTP."""
