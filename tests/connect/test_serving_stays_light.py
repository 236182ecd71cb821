"""What only `portico connect` needs is not loaded by whoever serves."""

import subprocess
import sys

SERVING = "portico.cli.serve, portico.cli.worker, portico.cli.app, portico.http.gateway"
HEAVY = ("tomlkit", "ruamel.yaml", "portico.clients.merge")


def test_serving_loads_no_editor_of_settings() -> None:
    code = f"import sys, {SERVING}; print([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
