"""Leaks: their records, the search for them, and their texts."""
