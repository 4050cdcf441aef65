"""A health check of the same name that is a coroutine function."""
