from coroguard import CoroguardError, CoroutineLeakError, HealthReportError

assert issubclass(CoroutineLeakError, CoroguardError)
assert issubclass(HealthReportError, CoroguardError)
