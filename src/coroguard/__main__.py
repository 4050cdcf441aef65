"""The entry point of `coroguard` and `python -m coroguard`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        argv: The arguments; ``None`` means those of the process.

    Returns:
        The exit code of the command; 2 where the command line's own libraries
        are missing, 130 for Ctrl-C while they are imported.
    """
    try:
        from . import cli
    except ModuleNotFoundError as missing:
        sys.stderr.write(
            f"coroguard: {missing.name} is not installed; "
            "run pip install 'coroguard[cli]'\n"
        )
        return 2
    except KeyboardInterrupt:
        return 130
    return cli.main(argv)


if __name__ == "__main__":
    sys.exit(main())
