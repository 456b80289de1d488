"""A forecast of volatility: the model behind the example pool whose swap fee follows it."""
