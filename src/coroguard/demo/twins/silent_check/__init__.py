"""A health check that truth-tests a coroutine."""
