"""Where settings come from, a file and the environment, and the problems that are found with them on the way."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from portico.config.problems import ConfigError, Problem, nearest
from portico.config.values import shown
from portico.providers import Secret

NAMED: Final = "keys are named, not written here: use env:NAME or file:PATH"


class Sources:
    """One configuration under the eyes of those who read its tables. They say here what is wrong with it."""

    def __init__(self, environment: Mapping[str, str], path: Path | None, folder: Path) -> None:
        self.environment = environment
        self.path = path
        self.folder = folder.resolve()
        """The working directory."""
        self.home = path.parent.resolve() if path else folder.resolve()
        """What the paths of the file are relative to."""
        self.problems: list[Problem] = []
        self._text = ""

    # -- the file

    def tables(self, known: Mapping[str, frozenset[str]], lists: frozenset[str]) -> dict[str, Any]:
        """The tables of the file that are `known` (name -> keys) and have their shape. `lists`: those that may come several
        times. Raises `ConfigError` if the file cannot be read at all."""
        if self.path is None:
            return {}
        try:
            self._text = self.path.read_text(encoding="utf-8-sig")  # some editors put a mark in front
            tables = tomllib.loads(self._text)
        except OSError as error:
            raise ConfigError([Problem("config", f"cannot be read: {error.strerror}", file=str(self.path))]) from None
        except UnicodeDecodeError:
            raise ConfigError([Problem("config", "is not UTF-8 text", file=str(self.path))]) from None
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            line = int(found.group(1)) if found else None
            raise ConfigError([Problem("toml", str(error), line, str(self.path))]) from None
        for name, table in tables.items():
            self._check_table(name, table, known, lists)
        return {
            n: table for n, table in tables.items() if n in known and isinstance(table, list if n in lists else dict)
        }

    def _check_table(self, name: str, table: Any, known: Mapping[str, frozenset[str]], lists: frozenset[str]) -> None:
        if name not in known:
            owners = [f"[[{of}]]" if of in lists else f"[{of}]" for of, keys in known.items() if name in keys]
            belongs = f"stands in no table; it is a key of {' and of '.join(owners)}, and belongs below that line"
            message = belongs if owners else f"is no table of Portico's{nearest(name, known)}"
            self.problem(name, message, line=self.line(name, None, 0))
            return
        if not isinstance(table, list if name in lists else dict):
            form = f"[[{name}]]" if name in lists else f"[{name}]"
            self.problem(name, f"must be written as {form}", line=self.line(name, None, 0))
            return
        for index, entry in enumerate(table if isinstance(table, list) else [table]):
            if not isinstance(entry, dict):
                self.problem(name, "must hold tables", line=self.line(name, None, index))
                continue
            for key in entry:
                if key not in known[name]:
                    hint = nearest(key, known[name])
                    self.problem(f"{name}.{key}", f"is no key of this table{hint}", line=self.line(name, key, index))

    def line(self, table: str, key: str | None, index: int = 0) -> int | None:
        """The line of the n-th table of that name, or of a key in it."""
        wanted = re.compile(rf"\s*\"?{re.escape(key or table)}\"?\s*=")
        seen = -1
        inside = False
        for number, line in enumerate(self._text.splitlines(), start=1):
            header = re.match(r"\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]?\]", line)
            if header:
                if key is not None and header.group(1) == f"{table}.{key}" and max(seen, 0) == index:
                    return number
                inside = header.group(1) == table
                seen += inside
                if inside and key is None and seen == index:
                    return number
            elif wanted.match(line) and (key is None or (inside and seen == index)):
                return number
        return None

    # -- secrets are named, never written

    def secret(self, item: object) -> Secret | str:
        """The secret an item (`env:NAME`, `file:PATH`) names; text says why there is none."""
        if not isinstance(item, str):
            return f"expected text, found {shown(item)}"
        scheme, colon, where = item.partition(":")
        if scheme == "env" and colon:
            if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", where) is None:
                return "what stands behind env: is no name of an environment variable"
            return self.secret_of_environment(where) or f"the environment variable {where} is not set"
        if scheme == "file" and colon:
            path = self.home / where
            try:
                value = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                return f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not text'}"
            return Secret(value, item) if value else f"{path} is empty"
        return NAMED

    def secret_of_environment(self, name: str) -> Secret | None:
        value = self.environment.get(name, "").strip()
        return Secret(value, f"env:{name}") if value else None

    # -- saying what is wrong

    def at(self, table: str, key: str, message: str, *, index: int | None = None) -> None:
        """Something is wrong with a key of a table, of the n-th where several may come."""
        line = self.line(table, key, index or 0) or self.line(table, None, index or 0)
        self.problem(f"{table}.{key}" if index is None else f"{table}[{index}].{key}", message, line=line)

    def problem(self, key: str, message: str, *, line: int | None = None, in_file: bool = True) -> None:
        file = str(self.path) if self.path is not None and in_file else None
        self.problems.append(Problem(key, message, line, file))
