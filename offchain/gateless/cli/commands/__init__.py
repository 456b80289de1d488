"""Command groups; each file holds one."""
