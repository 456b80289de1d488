"""Runnable examples of Gateless."""
