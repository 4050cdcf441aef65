"""What was claimed, and did it happen?"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Claim", "StepResult"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that had to happen.

    Args:
        text: What had to happen.
        held: Whether it did.
        seen: What was seen instead; empty where it held.
    """

    text: str
    held: bool
    seen: str = ""


@dataclass(slots=True)
class StepResult:
    """What one step of the story claimed.

    Args:
        title: The step's name.
        claims: Its claims, in the order they were checked.
    """

    title: str
    claims: list[Claim] = field(default_factory=list[Claim])

    @property
    def happened(self) -> bool:
        """Whether there were claims, and all of them held."""
        return bool(self.claims) and all(claim.held for claim in self.claims)

    def equal(self, text: str, actual: object, expected: object) -> None:
        """Claim that two values are equal."""
        seen = "" if actual == expected else f"{actual!r} instead of {expected!r}"
        self.claims.append(Claim(text, not seen, seen[:300]))

    def contains(self, text: str, whole: str, *parts: str) -> None:
        """Claim that a text has all of these parts, and that there are parts."""
        missing = [part for part in parts if part not in whole]
        seen = f"no {', '.join(missing)} in {whole[-200:]!r}" if missing else ""
        self.claims.append(Claim(text, bool(parts) and not missing, seen))

    def broke(self, error: BaseException) -> None:
        """Note that the step itself ended with an error."""
        text = "the step ran to its end"
        self.claims.append(Claim(text, held=False, seen=repr(error)[:300]))
