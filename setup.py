"""The optional accelerated build. Without PORTICO_COMPILE=1 this adds nothing to pyproject.toml.

With it, mypyc compiles the translation (Chat, Gemini and what they stand on, as they are: the same source) to extension
modules, which Python prefers to the .py files beside them. A C compiler and the development requirements are needed.

    make compile                                        beside the source, for this checkout
    PORTICO_COMPILE=1 python -m build --wheel --no-isolation

Classes made by msgspec stay what they are: modules that define some are left out.
"""

import os
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
FOLDERS = ("src/portico/dialects/openai_chat", "src/portico/dialects/gemini")
MORE = (
    "src/portico/wire/names.py",
    "src/portico/core/usage.py",
    "src/portico/core/telling.py",
    "src/portico/core/spans.py",
    "src/portico/core/ids.py",
    "src/portico/catalog/names.py",
    "src/portico/vault/recorder.py",
    "src/portico/vault/restore.py",
    "src/portico/relay/downstream.py",
    "src/portico/relay/learned.py",
    "src/portico/relay/pump.py",
    "src/portico/relay/unfence.py",
    "src/portico/relay/verdict.py",
    "src/portico/http/fields.py",
    "src/portico/wire/framing.py",
    "src/portico/wire/jsonsize.py",
)


def compiled() -> list[str]:
    """The modules that are compiled, by their paths."""
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.py"))] + [
        ROOT / name for name in MORE
    ]
    return [
        str(path.relative_to(ROOT))
        for path in found
        if path.name != "__init__.py" and "msgspec.Struct" not in path.read_text(encoding="utf-8")
    ]


if os.environ.get("PORTICO_COMPILE") == "1":
    from mypyc.build import mypycify

    os.environ.setdefault("MYPYPATH", "src")
    options = ["--strict", "--namespace-packages", "--explicit-package-bases", *compiled()]
    setup(ext_modules=mypycify(options, opt_level="3"))
else:
    setup()
