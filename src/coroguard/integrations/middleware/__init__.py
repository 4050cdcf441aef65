"""Middleware that watches requests, and reports leaks with their route."""
