"""The audit's rules: the meaning of each, an example, and the fix."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .._inspect.texts import nearest
from .._leaks.errors import GuardUsageError
from .findings import FindingKind

usage_error = partial(GuardUsageError, code="CG214")


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of contradiction that the audit reports.

    Args:
        summary: What is wrong, in one line.
        reason: What happens when the code runs.
        wrong: An example.
        right: The same, mended.
    """

    summary: str
    reason: str
    wrong: str
    right: str


RULES: dict[FindingKind, Rule] = {
    FindingKind.WRONG_CALL: Rule(
        "A call contradicts the colour of what its name resolves to.",
        "A coroutine is always true and has no attributes of its value; a plain "
        "value cannot be awaited.",
        "if not manager.is_connected():  # async def is_connected",
        "if not await manager.is_connected():",
    ),
    FindingKind.ASYNC_CALLBACK: Rule(
        "A coroutine function is passed where the caller wants a plain value.",
        "The caller makes a coroutine and drops it: the body never runs.",
        "loop.call_later(10, ping)  # async def ping",
        "loop.call_later(10, start_ping)  # def start_ping: keeps a task",
    ),
    FindingKind.CALLED_CALLBACK: Rule(
        "A coroutine is passed where the function is meant.",
        "The caller calls what it gets, and a coroutine cannot be called.",
        "group.start_soon(work(x))",
        "group.start_soon(work, x)",
    ),
    FindingKind.NOT_CALLED: Rule(
        "A function is passed where its coroutine is meant.",
        "asyncio refuses what is not a coroutine.",
        "asyncio.run(main)",
        "asyncio.run(main())",
    ),
    FindingKind.ASYNC_METHOD: Rule(
        "Python or a library calls this async method without await.",
        "A coroutine is taken for the answer: a true __exit__ swallows every "
        "exception, a validated field holds a coroutine.",
        "async def __exit__(self, kind, error, traceback): ...",
        "async def __aexit__(self, kind, error, traceback): ...",
    ),
    FindingKind.ASYNC_PROPERTY: Rule(
        "An async property is read as a value.",
        "Reading it makes a coroutine, which is always true.",
        "if device.is_online:  # @property, async def",
        "if await device.is_online:",
    ),
    FindingKind.MIXED_RETURN: Rule(
        "A function gives a coroutine on one path and a plain value on another.",
        "No caller is right on both paths.",
        "return self.find()  # beside `return rows`, in an async def",
        "return await self.find()",
    ),
    FindingKind.LOST_TASK: Rule(
        "A task is started and nobody keeps a reference to it.",
        "The event loop keeps tasks weakly, so the garbage collector may take it "
        "before it ends.",
        "asyncio.create_task(work())",
        "task = asyncio.create_task(work()); tasks.add(task)",
    ),
    FindingKind.DEFINED_TWICE: Rule(
        "A name is defined twice in one scope, in two colours.",
        "The later definition answers for the earlier one.",
        "def check(): ...  # and further down: async def check(): ...",
        "def check(): ...  # and: async def acheck(): ...",
    ),
    FindingKind.IMPORTED_TWICE: Rule(
        "Two imports bind a name in one scope, in two colours.",
        "The later import answers for the earlier one.",
        "from health import *; from probes import *",
        "from health import check; from probes import check as async_check",
    ),
    FindingKind.OVERRIDE: Rule(
        "An override has another colour than the method that it overrides.",
        "Callers of the base are wrong for the subclass.",
        "async def commit(self): ...  # over def commit(self)",
        "async def acommit(self): ...",
    ),
    FindingKind.TWO_NAMES: Rule(
        "A module is loaded under two names.",
        "Its classes and its state exist twice.",
        "import health  # and elsewhere: import app.health",
        "import app.health",
    ),
    FindingKind.SHADOWED: Rule(
        "Another file on the path hides a module.",
        "An import gets a module that nobody meant.",
        "health.py beside the package app/health.py",
        "one of them under another name",
    ),
}


def rule_id(kind: FindingKind) -> str:
    """Return the identifier of a rule: ``wrong-call``."""
    return kind.value.replace(" ", "-")


def explain_rule(name: str) -> str:
    """Return the meaning of a rule, with an example.

    Raises:
        GuardUsageError: There is no such rule.
    """
    known = {rule_id(kind): rule for kind, rule in RULES.items()}
    rule = known.get(name.replace(" ", "-"))
    if rule is None:
        raise usage_error(
            f"there is no rule {name!r}; the rules are {', '.join(known)}."
            f"{nearest(name, known)}"
        )
    return (
        f"{rule.summary}\n{rule.reason}\n"
        f"  wrong:    {rule.wrong}\n  right:    {rule.right}\n"
        f"  accept:   # coroguard: ok, and the reason, on the line of either place"
    )
