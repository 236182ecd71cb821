"""Runs programs one after the other in one process, so that their libraries are loaded once: {name: [folder, file]} on
standard input, {name: [what it printed, what is wrong or null]} on standard output."""

import contextlib
import io
import json
import os
import runpy
import sys
import traceback

results: dict[str, tuple[str, str | None]] = {}
for name, (folder, file) in json.load(sys.stdin).items():
    os.chdir(folder)
    printed, wrong = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        try:
            runpy.run_path(file, run_name="__main__")
        except SystemExit as end:
            wrong = None if end.code in (None, 0) else f"exit code {end.code}"
        except BaseException:  # noqa: BLE001 - whatever a program ends with is told
            wrong = traceback.format_exc()
    results[name] = (printed.getvalue(), wrong)
json.dump(results, sys.stdout)
