from coroguard import subscribe, watch


async def close():
    pass


found = []
unsubscribe = subscribe(found.append)
with watch(mode="observe"):
    close()
unsubscribe()

assert found[0].leak.name == "close"
assert found[0].action == "reported"
