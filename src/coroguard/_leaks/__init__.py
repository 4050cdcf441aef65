"""Leaks: what one is, where it is, and how it reads."""
