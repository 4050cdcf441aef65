from coroguard import Mode, configure, status

configure(mode="observe", unclaimed="report")
assert status().mode is Mode.OBSERVE
