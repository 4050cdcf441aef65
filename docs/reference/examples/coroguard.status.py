from coroguard import guard, status


@guard
def health():
    return {}


assert any(name.endswith("health") for name in status().guards)
assert status().problems == ()
