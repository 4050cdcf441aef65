from coroguard.testing import health_report

assert health_report()["healthy"] is True
report = health_report(failed_components=["redis"], as_model=True)
assert report.http_status == 503
