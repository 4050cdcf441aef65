"""Settings of the documentation site; `make docs` builds it."""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from coroguard import __version__

project = "coroguard"
author = "The coroguard developers"
project_copyright = "The coroguard developers"
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.intersphinx",
]
exclude_patterns = ["_build"]
nitpicky = True

# Pages are Markdown that also reads well in the repository.
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "exclude-members": "model_config"}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 72
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

# Names of other projects are text: the site has to build without a network.
intersphinx_mapping: dict[str, tuple[str, None]] = {}
# So are private bases, type variables, and what a signature has beside names.
nitpick_ignore_regex = [
    ("py:.*", r"(?!coroguard\.).*"),
    (
        "py:.*",
        r"coroguard\.(.*\.)?(_\w+|F|R|Record|BaseService|ClientUser|OneUser|Server)",
    ),
    ("py:.*", r".*\W \|.*|.*\['.*"),
]

smartquotes = False  # an option keeps its two dashes
html_theme = "furo"
html_baseurl = "https://coroguard.github.io/coroguard/"
html_title = f"coroguard {release}"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "versions.html",
        "sidebar/scroll-end.html",
    ]
}
# `.ci/site` names the versions that it builds beside each other.
html_context = {
    "versions": os.environ.get("COROGUARD_DOCS_VERSIONS", "").split(),
    "html_baseurl": html_baseurl,
}
html_css_files = ["site.css"]
html_theme_options = {
    "source_repository": "https://github.com/coroguard/coroguard/",
    "source_branch": "main",
    "source_directory": "docs/",
}

#: Every page, in the order of the menu: a page that is missing fails the build.
MENU = {
    "": ("tutorial",),
    "Guard": (
        "how-to/guard-a-health-check",
        "how-to/guard-a-permission-check",
        "how-to/guard-by-path",
        "how-to/watch-a-block",
        "how-to/choose-a-mode",
        "how-to/strict-packages",
        "how-to/explain-an-exception",
        "how-to/websockets",
        "how-to/celery-and-schedulers",
        "how-to/migrate",
    ),
    "Test": (
        "how-to/pytest",
        "how-to/unittest",
        "how-to/test-against-collisions",
        "how-to/audit-a-package",
        "how-to/lock-the-colours",
        "how-to/find-rare-failures",
    ),
    "Release": (
        "how-to/gate-a-fastapi-service",
        "how-to/test-a-matrix",
        "how-to/load-test",
        "how-to/continuous-integration",
    ),
    "Health endpoints": ("how-to/health-endpoint", "how-to/health-endpoint-*"),
    "Production": (
        "how-to/workers",
        "how-to/kubernetes-probes",
        "how-to/watch-requests",
        "how-to/logging",
        "how-to/prometheus",
        "how-to/opentelemetry",
        "how-to/sentry",
        "how-to/alerts",
        "how-to/monitor-on-a-schedule",
    ),
    "Reference": ("reference/api", "reference/*"),
    "Explanation": ("explanation/*", "benchmarks"),
    "About": ("glossary", "security", "changelog"),
}
CONTENTS = "".join(
    "\n```{toctree}\n:hidden:\n:glob:\n"
    + (f":caption: {caption}\n" if caption else "")
    + "\n".join(["", *pages, "```\n"])
    for caption, pages in MENU.items()
)
#: Results of public functions that are not exported themselves.
RESULTS = {
    "coroguard": ["_runtime.status.Status"],
    "coroguard.health": ["response.Response"],
    "coroguard.gates": ["readiness.ExitCode"],
}
#: Modules with public names, in the order of the API page, and what each is for.
API = {
    "coroguard": "The guard, the report, the errors and the modes.",
    "coroguard.health": "Checks collected into a report, and answers to probes.",
    "coroguard.bindings": "Guards by import path, and whether they are still there.",
    "coroguard.testing": "Helpers for tests, with or without pytest.",
    "coroguard.testing.schedules": "Seeded orders of the steps of tasks.",
    "coroguard.gates": "Gates as Python objects.",
    "coroguard.gates.ready_made": "Gates for a service that has a WebSocket chat.",
    "coroguard.gates.faults": "A TCP proxy that injects faults.",
    "coroguard.alerts": "Alerts of leaks, sent to a webhook.",
    "coroguard.integrations.prometheus": "Metrics for Prometheus.",
    "coroguard.integrations.opentelemetry": "Metrics and log events of OpenTelemetry.",
    "coroguard.integrations.sentry": "Leaks as events of Sentry.",
}
ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "reference" / "examples"
#: The release that added a public name, where it was not the first one, 0.2.0.
ADDED: dict[str, str] = {}

_ABSOLUTE = re.compile(rf"\]\({re.escape(html_baseurl)}([\w/-]+)\.html(#[\w-]+)?\)")
_TITLED = re.compile(r'^```(\w+) title="([^"]+)"$', re.M)


def _read_source(_app: Any, page: str, source: list[str]) -> None:
    """Add what Markdown in a repository has no use for: captions, menu and API."""
    if page == "index":
        home = (ROOT / "README.md").read_text()
        source[0] = home + source[0].partition("\n")[2] + CONTENTS
    elif page in ("changelog", "security"):
        source[0] = (ROOT / f"{page.upper()}.md").read_text().replace("](docs/", "](")
    elif page == "reference/api":
        source[0] += "".join(_api_of(*module) for module in API.items())
    source[0] = _TITLED.sub(r"```{code-block} \1\n:caption: \2\n", source[0])
    source[0] = _ABSOLUTE.sub(r"](/\1.md\2)", source[0])


def _api_of(module: str, purpose: str) -> str:
    """Return the part of the API page that is about one module."""
    names = [*importlib.import_module(module).__all__, *RESULTS.get(module, ())]
    entries = "".join(_entry(f"{module}.{name}") for name in names if name[:2] != "__")
    example = _example(module)
    return f"\n## {module}\n\n{purpose}\n\n```{{eval-rst}}\n{example}{entries}```\n"


def _example(name: str) -> str:
    """Return what shows the example of a name or a module, if there is one."""
    if not (EXAMPLES / f"{name}.py").exists():
        return ""
    return f".. literalinclude:: /reference/examples/{name}.py\n\n"


def _entry(path: str) -> str:
    module, _, name = path.rpartition(".")
    target = getattr(importlib.import_module(module), name)
    if isinstance(target, type):
        return f".. autoclass:: {path}\n   :show-inheritance:\n\n"
    kind = "autofunction" if callable(target) else "autodata"
    return f".. {kind}:: {path}\n\n"


def _hide_fields(
    _app: Any, _what: str, _name: str, of: Any, *_rest: Any
) -> tuple[str, str] | None:
    """Leave the fields of a model to its list of attributes."""
    if isinstance(of, type) and issubclass(of, BaseModel):
        return "", ""
    return None


def _add_example(
    _app: Any, _what: str, name: str, _of: Any, _options: Any, lines: list[str]
) -> None:
    """Add the release that brought a public name, and its example."""
    module, _, own = name.rpartition(".")
    if module in API and own in importlib.import_module(module).__all__:
        lines += ["", f".. versionadded:: {ADDED.get(name, '0.2.0')}", ""]
        lines += _example(name).splitlines()


def setup(app: Any) -> None:
    """Connect what changes pages while they are read."""
    app.connect("source-read", _read_source)
    app.connect("autodoc-process-signature", _hide_fields)
    app.connect("autodoc-process-docstring", _add_example)
