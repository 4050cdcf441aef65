from coroguard.health import Checked, collect


async def is_connected():
    return False


def check_cache():
    return bool(is_connected())  # not awaited: always true


def check_mail():
    raise ConnectionRefusedError


report = collect(
    {"cache": check_cache, "mail": Checked(check_mail, optional=True)}, deadline_s=30
)
assert report.failed_components == ["cache"]
assert report.component_details["mail"].status == "degraded"
