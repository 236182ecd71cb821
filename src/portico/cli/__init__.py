"""The command line: composition. Each command reads the config, builds objects, and hands over.

Heavy imports live in the command that wants them, so that `portico serve` starts fast.
"""

import sys

from portico.cli.app import app


def main() -> None:
    """The `portico` command. Exit codes: 0 done, 1 something failed, 2 wrong usage."""
    sys.exit(app())
