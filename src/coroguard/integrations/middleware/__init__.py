"""Middleware that watches requests: what escapes in one is an event with its route."""
