"""What comes in by HTTP: inputs, signed requests and direct calls."""
