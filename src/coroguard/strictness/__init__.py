"""Whole packages, checked against their own annotations."""

from .packages import strict_packages

__all__ = ["strict_packages"]
