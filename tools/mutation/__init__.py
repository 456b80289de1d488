"""Mutation tests of the contracts, with slither-mutate's operators."""
