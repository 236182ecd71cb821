"""The command line: composition. Each command reads the config, builds objects, and hands over.

Heavy imports live in the command that wants them, so that `portico serve` starts fast.
"""

import sys
from io import TextIOWrapper

from portico.cli.quick import read_serve


def main() -> None:
    """The `portico` command. Exit codes: 0 done, 1 something failed, 2 wrong usage, 130 interrupted."""
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
