"""Inspection of objects, without running any of their code."""
