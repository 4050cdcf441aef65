"""Frameworks and monitoring systems that coroguard connects to."""
