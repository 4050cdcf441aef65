"""Modules in which a guarded name comes to lead to a twin while they are imported."""
