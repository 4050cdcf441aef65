from coroguard.bindings import bare, protect, unprotect

protect("json:*", returns=object)
assert all(isinstance(reason, str) for reason in bare().values())
unprotect()
