from coroguard import guard, subscribe
from coroguard.testing import health_report


@guard
def health():
    return health_report()


calls = []
unsubscribe = subscribe(calls.append, calls=True)
health()
unsubscribe()

assert calls[0].outcome == "healthy"
assert calls[0].duration_ms >= 0
