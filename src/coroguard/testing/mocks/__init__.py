"""Mocks that keep the colours of what they stand for."""

from __future__ import annotations

from .mock import mock_of

__all__ = ["mock_of"]
