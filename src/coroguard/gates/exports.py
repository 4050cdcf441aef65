"""The readiness for other tools: JSON, JUnit XML, Markdown, annotations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from .._inspect.texts import escape_command
from .evidence import Outcome
from .verdict import Verdict

if TYPE_CHECKING:
    from .matrix.result import Matrix
    from .readiness import GateResult, Readiness

_MOST_ANNOTATIONS = 10
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_json(readiness: Readiness) -> str:
    """Return the whole readiness; `schema` is the version of its shape."""
    # RFC 8259 has no NaN and no infinity; Python's own reader and writer do.
    plain = json.loads(json.dumps(readiness.to_json()), parse_constant=lambda _: None)
    return json.dumps(plain, indent=2, allow_nan=False) + "\n"


def as_junit(readiness: Readiness) -> str:
    """Return JUnit XML: a suite for each gate, in it the verdict and each test."""
    suites = ET.Element("testsuites", name="coroguard gate")
    for result in readiness.results:
        _add_suite(suites, result)
    if readiness.matrix:
        _add_matrix(suites, readiness.matrix)
    if readiness.problem:
        suite = ET.SubElement(suites, "testsuite", name="coroguard", tests="1")
        suite.set("errors", "1")
        case = ET.SubElement(suite, "testcase", name="readiness", classname="coroguard")
        _add(
            case, "error", readiness.problem[1].partition("\n")[0], readiness.problem[1]
        )
    for count in ("tests", "failures", "errors", "skipped"):
        total = sum(int(suite.get(count, "0")) for suite in suites)
        suites.set(count, str(total))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _add_matrix(suites: ET.Element, matrix: Matrix) -> None:
    suite = ET.SubElement(suites, "testsuite", name="matrix")
    for cell in matrix.cells:
        case = _case(suite, "matrix", cell.label, cell.duration_s)
        if cell.verdict is not Verdict.PASSED:
            _add(case, "failure", cell.verdict, cell.reason)
    if matrix.lacks:
        _add(_case(suite, "matrix", "minimum", 0.0), "failure", matrix.lacks)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", "0")


def _add_suite(suites: ET.Element, result: GateResult) -> None:
    suite = ET.SubElement(suites, "testsuite", name=_xml(result.gate.name))
    case = _case(suite, result.gate.name, "verdict", result.run.duration_s)
    reasons = "\n".join(result.judgement.reasons)
    match result.verdict:
        case Verdict.PASSED:
            pass
        case Verdict.WAIVED:
            _add(case, "skipped", f"WAIVED: {reasons}")
        case Verdict.ERROR:
            _add(case, "error", result.verdict, f"{reasons}\n{result.run.stacks}")
        case _:
            _add(case, "failure", result.verdict, reasons)
    for test_id in result.gate.expected:
        _add_test(suite, result, test_id)
    suite.set("tests", str(len(suite)))
    for count, tag in (("failures", "failure"), ("errors", "error")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    suite.set("time", f"{result.run.duration_s:.3f}")


def _add_test(suite: ET.Element, result: GateResult, test_id: str) -> None:
    test = result.run.tests.get(test_id)
    file, _, name = test_id.partition("::")
    classname = file.removesuffix(".py").replace("/", ".")
    case = _case(suite, classname, name, test.duration_s if test else 0.0)
    outcome = result.run.outcome(test_id)
    text = test.text if test else ""
    match outcome:
        case Outcome.PASSED:
            pass
        case Outcome.FAILED | Outcome.LEAKED | Outcome.FLAKY:
            _add(case, "failure", outcome, text)
        case Outcome.BROKE:
            _add(case, "error", outcome, text)
        case _:
            _add(case, "skipped", f"{outcome}: {text}" if text else outcome)


def _case(
    suite: ET.Element, classname: str, name: str, duration_s: float
) -> ET.Element:
    attributes = {"classname": _xml(classname), "name": _xml(name)}
    return ET.SubElement(suite, "testcase", attributes, time=f"{duration_s:.3f}")


def _add(case: ET.Element, tag: str, message: str, text: str = "") -> None:
    ET.SubElement(case, tag, message=_xml(message)).text = _xml(text) or None


def _xml(text: str) -> str:
    """Remove characters that XML 1.0 forbids. Source: XML 1.0, section 2.2, `Char`."""
    return _NOT_XML.sub("\ufffd", text)


def as_markdown(readiness: Readiness) -> str:
    """Return a table of the gates and a list of the reasons that block the release."""
    head = "READY" if readiness.ready else "NOT READY"
    lines = [f"## {head}", ""]
    if readiness.results:
        lines += ["| gate | verdict | evidence | took |", "|---|---|---|---|"]
        lines += [_row(result) for result in readiness.results]
        lines.append("")
    for result in readiness.results:
        if result.verdict is not Verdict.PASSED:
            lines += [*_paragraph(result), ""]
    if readiness.matrix:
        lines += [*_cells(readiness.matrix), ""]
    proof = readiness.self_test
    if proof is not None:
        caught = sum(plant.caught for plant in proof.plants)
        seen = f"{caught} of {len(proof.plants)} planted faults were seen"
        lines += [f"**Self-test**: {seen}", ""]
        lines += [f"- {_md(text)}" for text in (*proof.fooled, *proof.unproven)]
    if readiness.problem:
        lines += ["```text", readiness.problem[1].replace("```", "'''"), "```", ""]
    return "\n".join(lines)


def _row(result: GateResult) -> str:
    title, took = result.gate.title or result.gate.name, result.run.duration_s
    shown = f"{_md(title)} | **{result.verdict}** | {_md(result.evidence)}"
    return f"| {shown} | {took:.1f} s |"


def _cells(matrix: Matrix) -> Iterator[str]:
    yield f"### Matrix: {_md(matrix.evidence)}"
    yield ""
    yield from ("| cell | settings | verdict | took |", "|---|---|---|---|")
    for number, label, verdict, took in matrix.rows():
        yield f"| {number} | {_md(label)} | **{verdict}** | {took} |"
    yield ""
    for text in matrix.reasons():
        yield f"- {_md(text)}"


def _paragraph(result: GateResult) -> Iterator[str]:
    gate = result.gate
    yield f"### {_md(gate.title or gate.name)}: {result.verdict}"
    yield ""
    waived = result.waiver and f"{result.waiver.reason}, until {result.waiver.until}"
    for label, text in (
        ("rule", gate.rule),
        ("impact", gate.impact),
        ("waived", waived or ""),
        ("BLOCKS DEPLOYMENT", "yes" if result.blocks else "no"),
    ):
        if text:
            yield f"- **{label}**: {_md(text)}"
    for reason in result.judgement.reasons:
        yield f"- {_md(reason)}"


def _md(text: str) -> str:
    """Keep text from being read as Markdown, HTML or the end of a cell."""
    flat = " ".join(text.split())
    kept = flat.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", kept)


def as_annotations(readiness: Readiness) -> list[str]:
    """Return GitHub's workflow commands, at most ten: it shows no more of a step."""
    found = [
        (f"{result.verdict}: {result.gate.name}", reason)
        for result in readiness.results
        if result.blocks
        for reason in result.judgement.reasons
    ]
    if readiness.matrix:
        found += [("matrix", text) for text in readiness.matrix.reasons()]
    if readiness.problem:
        found.append(("coroguard gate", readiness.problem[1]))
    if readiness.self_test:
        proof = readiness.self_test
        found += [("self-test", text) for text in (*proof.fooled, *proof.unproven)]
    return [
        f"::error title={escape_command(title, ',:')}::{escape_command(text)}"
        for title, text in found[:_MOST_ANNOTATIONS]
    ]
