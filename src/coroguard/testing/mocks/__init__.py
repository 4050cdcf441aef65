"""Mocks that keep the colours of their originals."""

from .mock import mock_of

__all__ = ["mock_of"]
