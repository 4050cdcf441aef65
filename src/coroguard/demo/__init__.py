"""A real chat service with the bug in it, and with the guard against it."""
