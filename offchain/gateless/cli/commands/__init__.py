"""Command groups; each file holds one, or commands of one under the group's name."""
