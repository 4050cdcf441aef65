"""The names that the rest of the service imports."""

# The collision of this demonstration: `chat_probes` is another team's module, deployed
# beside the service or not (a directory on `sys.path`). Where it is, its star import
# comes last, and a name that both modules have silently becomes the other team's.

import contextlib

from coroguard.demo.health import *  # noqa: F403  # the collision needs it
from coroguard.demo.manager_factory import *  # noqa: F403

with contextlib.suppress(ModuleNotFoundError):
    from chat_probes import *  # type: ignore[import-not-found,unused-ignore]  # noqa: F403
