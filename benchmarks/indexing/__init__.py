"""How fast the indexer follows a chain, and how fast it finds models."""
