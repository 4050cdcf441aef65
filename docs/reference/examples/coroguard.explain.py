from coroguard import explain


async def report():
    return {}


try:
    report().get("summary")
except AttributeError as error:
    leak = explain(error)
    assert leak is not None
    assert leak.name == "report"
