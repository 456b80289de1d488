"""The chain: typed reading, transactions as values, one sender, errors by name."""
