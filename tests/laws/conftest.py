"""Laws need recordings; without them they are skipped, with the reason."""

from pathlib import Path

import pytest

from laws.corpus import FOLDER, files

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if files():
        return
    for item in items:
        if item.path.parent == HERE and "path" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=f"no recordings in {FOLDER} (set PORTICO_RECORDINGS)"))
