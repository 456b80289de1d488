"""An index of everything on the chain, and the API that serves it."""
