import json

from coroguard.testing import collide

with collide("json:dumps") as collision:
    json.dumps([1]).close()
print(collision)
