import json

from coroguard.testing import collide

with collide("json:dumps"):
    returned = json.dumps([1])
    assert hasattr(returned, "__await__")
    returned.close()
assert json.dumps([1]) == "[1]"
