from coroguard import Mode, mode, status

with mode("strict"):
    assert status().mode is Mode.STRICT
