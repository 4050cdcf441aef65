"""Plants a collision in the chat service, and prints who sees it, as JSON."""

import json
import sys
from pathlib import Path

from coroguard import subscribe
from coroguard.bindings import protect, verify
from coroguard.bindings.audit import audit
from coroguard.bindings.lock.drift import drift_of
from coroguard.bindings.lock.record import lock_of
from coroguard.bindings.modules import load_package
from coroguard._runtime.modes import started_off

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from more_kinds import collide


def answer(name):
    """Call a handler; what it answers, or how it died."""
    import chatapp.handlers

    try:
        return getattr(chatapp.handlers, name)()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main(kind):
    """Plant a collision of a kind, and ask each part of coroguard."""
    where = {"override": "method", "injection": "registry"}.get(kind, "function")
    targets = {
        "function": ("chatapp.health:check",),
        "method": ("chatapp.health:Manager.check",),
        "registry": ("chatapp.health:REGISTRY", "redis"),
    }
    protect("chatapp.health:check", "chatapp.health:Manager.check")
    locked = lock_of([load_package("chatapp")])
    shown = {
        "before": answer(where),
        "findings before": [*map(str, audit("chatapp").findings), *map(str, verify())],
    }
    events = []
    unsubscribe = subscribe(events.append)
    with collide(*targets[where], kind=kind):
        shown["audit"] = [str(it) for it in audit("chatapp").findings]
        shown["lock"] = []
        if not started_off():
            drift = drift_of(locked, [load_package("chatapp")])
            shown["lock"] = [change.headline for change in drift.changes]
        shown["lost guards"] = [str(it) for it in verify()]
        events.clear()
        shown["outage"] = answer(where)
        shown["call"] = [str(event.error) for event in events if event.leak]
    unsubscribe()
    shown["after"] = answer(where)
    sys.stdout.write(json.dumps(shown))


if __name__ == "__main__":
    main(sys.argv[1])
