from coroguard import NotAwaitableError

# It is the error of an event; the TypeError of the program passes unchanged.
assert issubclass(NotAwaitableError, TypeError)
