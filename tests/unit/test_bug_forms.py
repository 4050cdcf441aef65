"""Every form of the bug under a guard, in every mode, annotated or not."""

import asyncio
import contextlib
import importlib.util
import inspect
import subprocess
import sys
import types
import warnings
from pathlib import Path

import pytest

from coroguard import (
    CoroguardError,
    CoroutineLeakError,
    Leak,
    LeakKind,
    NotAwaitableError,
    explain,
    guard,
    mode,
    subscribe,
    watch,
)
from coroguard._runtime.collector import collect

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .*was never awaited:RuntimeWarning"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]

HERE = Path(__file__).resolve().parents[1] / "corpus" / "forms"


def _load_package():
    spec = importlib.util.spec_from_file_location("bug_forms", HERE / "__init__.py")
    package = importlib.util.module_from_spec(spec)
    sys.modules["bug_forms"] = package
    spec.loader.exec_module(package)
    return package


forms = _load_package()
FORMS = {form.id: form for form in forms.FORMS}
VALUES = [f for f in forms.FORMS if f.kind in {"RETURNED", "NESTED"}]
BEHINDS = [f for f in forms.FORMS if f.kind in {"DROPPED", "SYMPTOM"}]
PLACED = [f for f in BEHINDS if f.placed]
CRASHES = [f for f in forms.FORMS if f.kind in {"MISUSED", "NOT_AWAITABLE"}]
LET_GO = [
    form
    for form in VALUES + BEHINDS
    if form.leaked == "is_connected"
    and form.kind != "SYMPTOM"
    and not {"task", "future"} & set(form.check.__name__.split("_"))
    and form.check.__name__ != "tasks_in_dataclass"
    and "cycle" not in form.check.__name__  # what the collector finds has no place
]
CREATED_HERE = {"coroutine", "dict_value", "truth_test", "in_gather"}


def ids(form):
    return form.id


def annotated_twin(check, promise):
    """Copy the check with a return annotation that its body does not keep."""
    twin = types.FunctionType(
        check.__code__,
        check.__globals__,
        check.__name__,
        check.__defaults__,
        check.__closure__,
    )
    twin.__dict__.update(check.__dict__)
    twin.__qualname__ = check.__qualname__
    twin.__module__ = check.__module__
    twin.__annotations__ = {"return": promise}
    return twin


def call(function):
    """Call it as its own colour asks; collect garbage before it is over."""
    if inspect.iscoroutinefunction(function):
        return asyncio.run(function())
    return function()


@pytest.fixture(autouse=True)
def _collect(request):
    """Collect a form's own cycle, and those asyncio ties around an error."""
    yield
    params = getattr(request.node, "callspec", None)
    form = params.params.get("form") if params else None
    if form is None:
        return
    crashes_in_loop = form in CRASHES and inspect.iscoroutinefunction(form.check)
    if crashes_in_loop or "cycle" in form.check.__name__:
        collect()


def crash(function, look):
    """Call what crashes, and look at its error while that is in flight.

    The error is not kept: its traceback would tie the coroutine into a cycle.
    """
    try:
        call(function)
    except Exception as error:
        return look(error)
    return pytest.fail("it did not crash")


def outcome(form, *, mode_name, twin=False, contract=None):
    """Guard and call the form's check: what was seen, raised and returned."""
    check = annotated_twin(form.check, form.promise) if twin else form.check
    contract = {"returns": form.returns} if contract is None else contract
    events, raised, value = [], None, None
    unsubscribe = subscribe(events.append)
    try:
        with mode(mode_name):
            try:
                value = call(guard(**contract)(check))
            except Exception as error:
                raised = error.with_traceback(None)
    finally:
        unsubscribe()
    close(value)
    return [event for event in events if event.leak], raised, value


def close(value):
    if inspect.iscoroutine(value):
        value.close()


def seen(form, events):
    """Return the events that match the table."""
    return [
        event
        for event in events
        if event.leak.kind is LeakKind[form.kind]
        and (form.leaked is None or form.leaked in (event.leak.name or ""))
    ]


def describe(events):
    return [(e.leak.kind.name, e.leak.name, e.leak.path, e.action) for e in events]


def test_the_table_holds_at_least_43_forms():
    """The table is not shorter than the survey it was made from."""
    assert len(forms.FORMS) >= 43
    assert len(FORMS) == len(forms.FORMS)


@pytest.mark.parametrize("twin", [False, True], ids=["bare", "annotated"])
@pytest.mark.parametrize("form", VALUES + BEHINDS, ids=ids)
def test_strict_refuses_the_form(form, twin):
    """In strict mode every form raises; its leak has kind, name and place."""
    events, raised, _ = outcome(form, mode_name="strict", twin=twin)

    found = seen(form, events)
    assert found, describe(events)
    assert isinstance(raised, CoroguardError)
    leak = found[0].leak
    assert isinstance(leak, Leak)
    assert form.check.__name__ in leak.guarded
    assert {event.action for event in events} <= {"raised", "reported"}
    assert any(event.action == "raised" for event in events)
    if form.leaked == "is_connected" and form.kind != "SYMPTOM":
        line = forms.is_connected.__code__.co_firstlineno
        assert leak.defined.endswith(f"registry.py:{line}")


@pytest.mark.parametrize("form", VALUES, ids=ids)
def test_the_path_leads_to_the_leak(form):
    """The path starts at the value and names each step down to the leak."""
    events, _, _ = outcome(form, mode_name="enforce")

    path = seen(form, events)[0].leak.path
    if form.kind == "RETURNED":
        assert path in {"", "$", None}
        return
    assert path.startswith("$")
    rest = path
    for step in form.where:
        assert step in rest, path
        rest = rest.split(step, 1)[1]


@pytest.mark.parametrize("form", VALUES, ids=ids)
def test_enforce_refuses_values(form):
    """Enforce raises for a returned leak, with at least one event."""
    events, raised, _ = outcome(form, mode_name="enforce")

    assert isinstance(raised, CoroutineLeakError)
    assert [event.action for event in seen(form, events)].count("raised") == 1
    assert form.check.__name__ in str(raised)
    assert form.leaked is None or form.leaked in str(raised)


@pytest.mark.parametrize("form", VALUES, ids=ids)
def test_refused_coroutines_leave_no_warning(form):
    """A refused coroutine that never started is closed: nothing warns of it later."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcome(form, mode_name="enforce")
        collect()

    texts = [str(warning.message) for warning in caught]
    first = [text for text in texts if "'is_connected' was never awaited" in text]
    # One is refused; where the form makes several, its siblings are refused with it.
    assert first == []


@pytest.mark.parametrize("mode_name", ["observe", "enforce"])
@pytest.mark.parametrize("form", [f for f in BEHINDS if not f.placed], ids=ids)
def test_what_no_frame_places_is_blamed_on_nobody(form, mode_name):
    """Outside strict mode, a drop without a known guard is not a guard's event."""
    events, raised, _ = outcome(form, mode_name=mode_name)

    assert (events, raised) == ([], None)


@pytest.mark.parametrize("form", PLACED, ids=ids)
def test_enforce_reports_what_was_left_behind(form):
    """Enforce reports a dropped coroutine or a symptom and lets the value pass."""
    events, raised, value = outcome(form, mode_name="enforce")

    assert raised is None
    assert isinstance(value, dict)
    assert {event.action for event in seen(form, events)} == {"reported"}


@pytest.mark.parametrize("form", VALUES + PLACED, ids=ids)
def test_observe_never_raises(form):
    """Observe reports the form and changes nothing."""
    events, raised, _ = outcome(form, mode_name="observe")

    assert raised is None
    assert seen(form, events), describe(events)
    assert {event.action for event in events} == {"reported"}


@pytest.mark.parametrize("form", VALUES + BEHINDS, ids=ids)
def test_off_is_silent(form):
    """Off lets the form pass without a word."""
    events, raised, _ = outcome(form, mode_name="off")

    assert (events, raised) == ([], None)


@pytest.mark.parametrize("mode_name", ["observe", "enforce", "strict"])
@pytest.mark.parametrize("form", CRASHES, ids=ids)
def test_a_crash_passes_through_the_guard_with_a_note(form, mode_name):
    """The check's own exception passes unchanged; a note names the coroutine."""
    bare = crash(form.check, lambda error: (type(error), str(error)))
    events, raised, _ = outcome(form, mode_name=mode_name)

    assert (type(raised), str(raised)) == bare
    assert {event.action for event in events} == {"noted"}
    assert form.leaked is None or any(form.leaked in n for n in raised.__notes__)


@pytest.mark.parametrize("form", CRASHES, ids=ids)
def test_watch_translates_the_crash(form):
    """A crash that leaves a watch becomes the error that names its cause."""

    async def watched():
        with watch():
            await form.check()

    def watched_sync():
        with watch():
            form.check()

    with mode("strict"):
        kind, cause, text = crash(
            watched if inspect.iscoroutinefunction(form.check) else watched_sync,
            lambda error: (type(error), type(error.__cause__), str(error)),
        )

    expected = CoroutineLeakError if form.kind == "MISUSED" else NotAwaitableError
    assert kind is expected
    assert cause in {AttributeError, TypeError}
    assert form.leaked is None or form.leaked in text


@pytest.mark.parametrize("form", CRASHES, ids=ids)
def test_explain_names_the_cause_of_the_crash(form):
    """`explain` finds the cause of an exception that was caught anywhere."""
    leak = crash(form.check, explain)

    assert leak is not None
    assert leak.kind is LeakKind[form.kind]


@pytest.mark.parametrize("form", LET_GO, ids=ids)
def test_watch_sees_what_is_dropped_in_a_block(form):
    """A block that calls the check and lets its value go lists what was dropped."""

    async def block():
        with watch(mode="observe") as leaks:
            value = form.check()
            if inspect.iscoroutinefunction(form.check):
                value = await value
            del value
            collect()
        return leaks

    def sync_block():
        with watch(mode="observe") as leaks:
            form.check()
            collect()
        return leaks

    leaks = call(block if inspect.iscoroutinefunction(form.check) else sync_block)
    assert "is_connected" in [k.name for k in leaks if k.kind is LeakKind.DROPPED]


@pytest.mark.parametrize("form", VALUES, ids=ids)
def test_a_leak_outranks_the_shape(form):
    """Where a report is promised, an awaitable is called a leak, not a bad shape."""
    events, raised, _ = outcome(form, mode_name="enforce", contract={})

    assert isinstance(raised, CoroutineLeakError)
    assert seen(form, events), describe(events)


@pytest.mark.parametrize("name", sorted(CREATED_HERE))
def test_strict_names_where_the_coroutine_was_created(name):
    """Strict mode tracks origins: the leak names the line that made the coroutine."""
    form = next(f for f in forms.FORMS if f.check.__name__ == name)
    events, raised, _ = outcome(form, mode_name="strict")

    file = Path(form.check.__code__.co_filename).name
    assert file in seen(form, events)[0].leak.created
    assert file in str(raised)


@pytest.mark.parametrize("grow", [lambda v: [v], lambda v: {"deeper": v}])
def test_depth_hides_nothing(grow):
    """A leak twenty thousand containers down is found like any other."""

    def check():
        value = forms.is_connected()
        for _ in range(20_000):
            value = grow(value)
        return value

    form = forms.Form(check, "NESTED", "is_connected", (), dict)
    events, raised, _ = outcome(form, mode_name="enforce")

    assert isinstance(raised, CoroutineLeakError)
    assert len(seen(form, events)) == 1


@pytest.mark.parametrize("text", forms.wordings.WORDINGS)
def test_the_wording_is_a_symptom(text):
    """A report that carries CPython's words for the bug is a symptom of it."""
    for report in ({"error": text}, {"errors": [f"redis check failed: {text}"]}):
        events, raised, _ = outcome(
            forms.Form(lambda report=report: report, "SYMPTOM", None, (), dict),
            mode_name="strict",
        )
        assert [e.leak.kind for e in events] == [LeakKind.SYMPTOM]
        assert isinstance(raised, CoroguardError)


@pytest.mark.parametrize("text", forms.wordings.COROUTINE_AS_VALUE[:4])
def test_explain_needs_no_text(text):
    """`explain` asks the object behind an error, however the text is worded."""
    coroutine = forms.is_connected()
    with contextlib.closing(coroutine):
        reworded = AttributeError("what are you doing", name="get", obj=coroutine)
        assert explain(reworded).kind is LeakKind.MISUSED
        assert explain(reworded).name == "is_connected"


@pytest.mark.parametrize("mode_name", ["enforce", "strict"])
def test_nothing_depends_on_what_optimisation_removes(mode_name):
    """Under `python -OO` every form is seen as well."""
    done = subprocess.run(
        [sys.executable, "-OO", str(HERE / "census.py"), mode_name],
        capture_output=True,
        text=True,
        timeout=250,
        check=True,
    )

    assert done.stdout == ""
