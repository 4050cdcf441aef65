from coroguard import GuardUsageError, guard

try:
    guard(returns="HealthReport")
except GuardUsageError as error:
    assert "give the type itself" in str(error)
