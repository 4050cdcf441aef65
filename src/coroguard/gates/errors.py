"""Errors that stop `coroguard gate` before a gate is run."""

# CoroguardError
# ├── GateConfigError (ValueError)    the configuration, or what was typed, is wrong
# └── CollectionError (RuntimeError)  which tests there are could not be found out

from coroguard._leaks.errors import CoroguardError


class GateConfigError(CoroguardError, ValueError):
    """The gates are configured wrongly; the text shows what to write."""

    _code = "CG301"


class CollectionError(CoroguardError, RuntimeError):
    """The tests could not be collected, so no gate can be judged."""

    _code = "CG302"


for _error in (GateConfigError, CollectionError):
    _error.__module__ = "coroguard.gates"
