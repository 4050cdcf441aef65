"""Scheduled validation of a service's health and of its lock."""
