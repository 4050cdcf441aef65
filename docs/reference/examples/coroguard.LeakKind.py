from coroguard import LeakKind

assert LeakKind.DROPPED == "dropped"
assert LeakKind.DROPPED.code == "CG103"
