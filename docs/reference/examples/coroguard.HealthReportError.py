from coroguard import HealthReportError, guard


@guard(mode="strict")
def health():
    return {"healthy": "yes"}


try:
    health()
except HealthReportError as error:
    assert error.violations[0] == "healthy: should be a valid boolean, got 'yes'"
