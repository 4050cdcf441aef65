"""Plant the fault that COROGUARD_PLANT names into the service that starts here."""

from __future__ import annotations

import os

from planted import plant

if name := os.environ.get("COROGUARD_PLANT"):
    plant(name)
