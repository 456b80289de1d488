"""A classifier of handwritten digits, from training to paid and verified inference."""
