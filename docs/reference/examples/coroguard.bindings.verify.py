import json

from coroguard.bindings import protect, unprotect, verify

protect("json:dumps", returns=str)
guarded, json.dumps = json.dumps, json.dumps.__wrapped__  # somebody rebinds the name
assert "json:dumps" in [finding.name for finding in verify()]
json.dumps = guarded
unprotect()
