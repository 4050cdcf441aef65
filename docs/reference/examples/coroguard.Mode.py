from coroguard import Mode

assert [str(mode) for mode in Mode] == ["off", "observe", "enforce", "strict"]
