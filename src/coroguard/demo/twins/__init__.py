"""Modules of another team, to deploy beside the service."""
