import tempfile
from pathlib import Path

from coroguard.bindings import protect_configured, unprotect

with tempfile.TemporaryDirectory() as folder:
    project = Path(folder, "pyproject.toml")
    project.write_text('[tool.coroguard]\nprotect = ["json:dumps"]\n')
    assert protect_configured(Path(folder)) == ("json:dumps",)
unprotect()
