"""A program that becomes a server, and ends when the process that started it ends."""

# Run as a script, `_spawn.py PARENT_PID DEATH_SIGNAL USER COMMAND...`: it leaves root
# behind where PostgreSQL asks for it, arranges for the signal, and becomes the command.

from __future__ import annotations

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Become the command."""
    parent, death_signal, user, *command = argv
    if user:
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    # After setuid, which clears it. Other systems lack it; there only a killed
    # parent leaves its servers behind.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent):
            raise SystemExit("the parent is gone already")
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
