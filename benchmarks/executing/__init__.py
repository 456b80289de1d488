"""What an executor adds to the work of model and circuit, and what it takes while idle."""
