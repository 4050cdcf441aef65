"""Names that one scope binds in two colours."""

from __future__ import annotations

import pytest

from coroguard.bindings.findings import FindingKind

SYNC = "def check():\n    return {'healthy': True}\n"
ASYNC = "async def check():\n    return {'healthy': True}\n"


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


DEFINED = {
    "sync then async": SYNC + ASYNC,
    "async then sync": ASYNC + SYNC,
    "after another definition": SYNC + "def other(): return check()\n" + ASYNC,
    "in a class": f"class Health:\n{indented(SYNC)}{indented(ASYNC)}",
    "in a function": f"def make():\n{indented(SYNC)}{indented(ASYNC)}    return check",
    "async then generator": ASYNC + "def check():\n    yield 1\n",
    "coroutine then async generator": ASYNC + "async def check():\n    yield 1\n",
    "under harmless decorators": "import functools\n"
    "class Health:\n    @staticmethod\n" + indented(SYNC) + "    @staticmethod\n"
    "    async def check(): return 1\n",
    "annotated": "def check() -> int: return 1\nasync def check() -> int: return 1\n",
    "in a try after it": SYNC
    + "try:\n"
    + indented(ASYNC)
    + "except ImportError:\n    pass\n",
}


@pytest.mark.parametrize("form", DEFINED)
def test_a_name_defined_in_two_colours_is_found(audit_of, form):
    """A second definition of another colour, in one scope, is found once."""
    findings = audit_of(health=DEFINED[form]).findings
    assert [found.kind for found in findings] == [FindingKind.DEFINED_TWICE]


NOT_DEFINED = {
    "one colour": SYNC + SYNC + ASYNC.replace("check", "acheck"),
    "if and else": f"import sys\nif sys.flags.dev_mode:\n{indented(SYNC)}"
    f"else:\n{indented(ASYNC)}",
    "try and except": f"try:\n    import no_such_module\n{indented(SYNC)}"
    f"except ImportError:\n{indented(ASYNC)}",
    "cases of a match": "def make(kind):\n    match kind:\n        case 'a':\n"
    + indented(indented(indented(SYNC)))
    + "        case _:\n"
    + indented(indented(indented(ASYNC)))
    + "    return check\n",
    "after a branch that returns": "def make(kind):\n    if kind:\n"
    + indented(indented(ASYNC))
    + "        return check\n"
    + indented(SYNC)
    + "    return check\n",
    "a default, replaced in a branch": SYNC + f"if __debug__:\n{indented(ASYNC)}",
    "kept under another name": SYNC + "sync_check = check\n" + ASYNC,
    "kept by a class": SYNC + "class Health:\n    sync = check\n" + ASYNC,
    "kept in a table": SYNC + "TABLE = {'check': check}\n" + ASYNC,
    "given to the second": SYNC + "async def check(inner=check):\n    return inner()\n",
    "deleted": SYNC + "del check\n" + ASYNC,
    "overloads": "from typing import overload\n"
    "@overload\ndef check(a: int) -> int: ...\n"
    "@overload\ndef check(a: str) -> str: ...\nasync def check(a): return a\n",
    "property setter": "class Health:\n    @property\n    def check(self): return 1\n"
    "    @check.setter\n    def check(self, value): pass\n",
    "single dispatch": "from functools import singledispatch\n@singledispatch\n"
    "def show(a): return 1\n@show.register\nasync def _(a: int): return 1\n"
    "@show.register\ndef _(a: str): return 1\n",
    "underscore": "def _(): return 1\nasync def _(): return 1\n",
    "routes": "class App:\n    def get(self, path): return lambda function: function\n"
    "app = App()\n@app.get('/a')\ndef index(): return 1\n"
    "@app.get('/b')\nasync def index(): return 1\n",
    "registered by name": "def register(function): return function\n"
    "@register\ndef handler(): return 1\n@register\nasync def handler(): return 1\n",
    "for the type checker": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
    + indented(SYNC)
    + ASYNC,
    "a facade": "from collections.abc import Awaitable\n"
    "def check() -> Awaitable[int]: return None\nasync def check(): return 1\n",
    "a facade as text": "def check() -> 'Awaitable[int]': return None\n"
    "async def check(): return 1\n",
    "in two scopes": SYNC + f"class Health:\n{indented(ASYNC)}",
    "replaced by a value between": SYNC + "check = None\n" + ASYNC,
    "meant, at the first": SYNC.replace(":\n", ":  # coroguard: ok for 2.0\n", 1)
    + ASYNC,
    "meant, at the second": SYNC
    + ASYNC.replace(":\n", ":  # coroguard: ok for 2.0\n", 1),
}


@pytest.mark.parametrize("form", NOT_DEFINED)
def test_definitions_that_are_meant_are_not_reported(audit_of, form):
    """Branches of one choice, registered and used functions do not collide."""
    audited = audit_of(health=NOT_DEFINED[form])
    assert (audited.findings, audited.failed) == ((), ())


MANAGER = "class Manager:\n    def url(self): return 1\n"
EXPORTED = "__all__ = ['check']\n"
TWINS = {
    "one": EXPORTED + SYNC + MANAGER + indented(SYNC),
    "two": EXPORTED + ASYNC + MANAGER + indented(ASYNC),
}
IMPORTED = {
    "two stars": "from .one import *\nfrom .two import *\n",
    "two imports": "from .one import check\nfrom .two import check\n",
    "absolute": "from audited_app.one import check\n"
    "from audited_app.two import check\n",
    "under one alias": "from .one import check as run\nfrom .two import check as run\n",
    "a star over an import": "from .one import check\nfrom .two import *\n",
    "a definition over an import": "from .one import check\n" + ASYNC,
    "a definition over a star": "from .one import *\n" + ASYNC,
    # On the line that the other module's definition has, which must not confuse.
    "a star over a definition": "\n" + ASYNC + "from .one import *\n",
    "an import over a definition": SYNC + "from .two import check\n",
    "with suppress": "import contextlib\nfrom .one import *\n"
    "with contextlib.suppress(ImportError):\n    from .two import *\n",
    "in a try": "from .one import check\ntry:\n    from .two import check\n"
    "except ImportError:\n    pass\n",
    "classes": "from .one import Manager\nfrom .two import Manager\n",
    "in a function": "def handle():\n    from .one import check\n"
    "    from .two import check\n    return check\n",
    "in an else of a try": "from .one import check\ntry:\n    import json\n"
    "except ImportError:\n    pass\nelse:\n    from .two import check\n",
    "a branch whose other choice is called": "import sys\nif sys.flags.dev_mode:\n"
    "    from .two import check\nelse:\n    from .one import check\n"
    "def handle(): return check()['healthy']\n",
    "except, and only one is called": "try:\n    from .one import check\n"
    "except ImportError:\n    from .two import check\n"
    "def handle(): return check()['healthy']\n",
}


@pytest.mark.parametrize("form", IMPORTED)
def test_a_name_imported_in_two_colours_is_found(audit_of, form):
    """A second import of another colour is found, with both places."""
    (found,) = audit_of(**TWINS, names=IMPORTED[form]).findings
    assert found.kind is FindingKind.IMPORTED_TWICE
    assert "names.py:" in found.first
    assert "names.py:" in found.second


FACADE = """
from collections.abc import Awaitable
LATER = None
def check(): return later()
def later(): return LATER
def promise() -> Awaitable[dict]: return LATER
def both() -> Awaitable[dict] | dict: return LATER
"""


def test_an_unknown_colour_is_hidden_by_an_async_namesake(audit_of):
    """Whatever a plain function gives, who calls it does not count on a coroutine."""
    names = "from .facade import check\nfrom .two import check\n"
    (found,) = audit_of(**TWINS, facade=FACADE, names=names).findings
    assert found.kind is FindingKind.IMPORTED_TWICE


NOT_IMPORTED = {
    "twins under two names": "from .one import check\n"
    "from .two import check as acheck\n",
    "twins as modules": "from . import one, two\n",
    "the same object": "from .one import check\nfrom .three import check\n",
    "classes that agree": "from .one import Manager\nfrom .four import Manager\n",
    "a choice of classes": "try:\n    from .one import Manager\n"
    "except ImportError:\n    from .two import Manager\n"
    "def handle(): return Manager().url()\n",
    "classes under two names": "from .one import Manager\n"
    "from .two import Manager as AsyncManager\n",
    "not exported": "from .one import *\nfrom .hidden import *\n",
    "kept before": "from .one import check\nsync_check = check\n"
    "from .two import check\n",
    "deleted": "from .one import check\ndel check\nfrom .two import check\n",
    "a choice that nobody calls": "try:\n    from .one import check\n"
    "except ImportError:\n    from .two import check\n",
    "a choice that both know": "import inspect\ntry:\n    from .one import check\n"
    "except ImportError:\n    from .two import check\n"
    "async def handle():\n    found = check()\n"
    "    return await found if inspect.isawaitable(found) else found\n",
    "a choice that is called in both ways": "try:\n    from .one import check\n"
    "except ImportError:\n    from .two import check\n"
    "async def handle(is_async):\n"
    "    return await check() if is_async else check()['healthy']\n",
    "a module that is not there": "from .one import check\ntry:\n"
    "    from no_such_module import check\nexcept ImportError:\n    pass\n",
    "for the type checker": "from typing import TYPE_CHECKING\n"
    "from .one import check\nif TYPE_CHECKING:\n    from .two import check\n",
    "a star for the type checker": "from typing import TYPE_CHECKING\n"
    "from .one import check\nif TYPE_CHECKING:\n    from .two import *\n"
    "def handle(): return check()['healthy']\n",
    "a facade that says so": "from .facade import promise\n"
    "from .two import check as promise\n",
    "a facade for both": "from .facade import both\nfrom .two import check as both\n",
    "a choice of what says nothing": "import sys\nif sys.flags.dev_mode:\n"
    "    from .facade import check\nelse:\n    from .two import check\n"
    "async def handle(): return await check()\n",
    "meant": "from .one import check\n"
    "from .two import check  # coroguard: ok, async since 2.0\n",
}


@pytest.mark.parametrize("form", NOT_IMPORTED)
def test_imports_that_are_meant_are_not_reported(audit_of, form):
    """Twins on purpose, choices and names under their own alias are fine."""
    modules = {
        **TWINS,
        "four": f"{MANAGER}    async def acheck(self): return 1\n",
        "three": "from .one import check\n",
        "hidden": f"__all__ = []\n{ASYNC}",
        "facade": FACADE,
    }
    audited = audit_of(**modules, names=NOT_IMPORTED[form])
    assert (audited.findings, audited.failed) == ((), ())


def test_the_finding_names_both_places_and_the_fix(audit_of):
    """The text has a headline, both files with their lines, and a fix."""
    (found,) = audit_of(**TWINS, names=IMPORTED["two imports"]).findings
    assert found.name == "audited_app.names:check"
    assert found.headline.endswith("names: first sync, then async")
    assert "from .one import check (def check, " in found.first
    assert "two.py:2)" in found.second
    fix = "import one of them under a name of its own (import check as ...)"
    assert found.advice == fix
    (found,) = audit_of(**TWINS, names=IMPORTED["with suppress"]).findings
    assert found.advice == f"{fix}, and name in place of * what is needed"
