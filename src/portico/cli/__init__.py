"""The command line: composition. Each command reads the config, builds objects, and hands over.

Heavy imports live in the command that wants them, so that `portico serve` starts fast.
"""

import errno
import os
import signal
import sys
from io import TextIOWrapper
from typing import Final

from portico.cli.quick import read_serve

_UNWRITABLE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main() -> None:
    """The `portico` command. Exit codes: 0 done, 1 something failed, 2 wrong usage, 130 interrupted.

    Output that cannot be written has failed, too. A reader that has seen enough (`| head`) is told nothing more.
    """
    try:
        try:
            _run()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # at the interpreter's end nobody could say what is wrong
    except OSError as error:
        if error.errno not in (errno.EPIPE, *_UNWRITABLE):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what is left of it
        if error.errno != errno.EPIPE:
            reason = f"{error.strerror}. A change may have been made all the same."
            print(f"Error: the output could not be written: {reason}", file=sys.stderr)
        sys.exit(1)


def _run() -> None:
    if sys.argv[1:2] == ["serve"]:
        # Until a loop takes it. An exception may be raised where nobody catches it, as in the callbacks of an import.
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    options = read_serve(sys.argv[2:]) if sys.argv[1:2] == ["serve"] else None
    if options is None:
        from portico.cli.app import app

        if isinstance(sys.stdout, TextIOWrapper):  # JSON and tables are UTF-8; a terminal has what it can show
            encoding = None if sys.stdout.isatty() else "utf-8"
            sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
        sys.exit(app())
    try:
        from portico.cli.serve import run_serve

        config, simulate = options.pop("config"), options.pop("simulate")
        sys.exit(run_serve(config=config, overrides=options, simulate=simulate))
    except KeyboardInterrupt:  # before there is a loop to take the signal
        sys.exit(130)
