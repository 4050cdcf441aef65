import json

from coroguard import protect, unprotect

protect("json:dumps", returns=str)
assert json.dumps([1]) == "[1]"
unprotect("json:dumps")
