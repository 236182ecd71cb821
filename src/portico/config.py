"""portico.toml and the environment -> one frozen Config. Nobody else reads the environment.

Every setting may come from the file or, winning over it, from the environment. `GEMINI_API_KEY` alone is a complete
configuration: providers implied by environment keys exist only when the file names none. What is wrong is said with
file, line and key, all of it at once.
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from portico.catalog import CatalogError, OperatorModel, load_catalog
from portico.core.address import AllowList
from portico.http.address import parse_address
from portico.http.forwarded import TrustedProxies
from portico.http.proxy import Proxies, proxies_of
from portico.providers import KINDS, Provider, Secret
from portico.relay.defaults import Defaults
from portico.relay.media import IMAGE_FORMS
from portico.relay.relay import Settings
from portico.telemetry.settings import LogConfig, MetricsConfig, access_of, listen_of

T = TypeVar("T")

DEFAULT_FILE: Final = "portico.toml"
DATA_FOLDER: Final = ".portico"
MAX_PORT: Final = 65535
MIB: Final = 1024 * 1024


class ServerConfig(Settings, frozen=True):
    """[server]: how calls are served, and where."""

    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    max_body_bytes: int = 64 * MIB
    max_body_bytes_in_flight: int = 512 * MIB
    max_open_calls: int = 4096
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()
    drain_delay_s: float = 0.0
    grace_s: float = 30.0


class MediaConfig(msgspec.Struct, frozen=True):
    """[media]: files that callers name by address. `allow` are hosts and networks beside the public ones."""

    allow: tuple[str, ...] = ()
    max_bytes: int = 20 * MIB
    timeout_s: float = 30.0


class StorageConfig(msgspec.Struct, frozen=True):
    """[storage]"""

    url: str


class Config(msgspec.Struct, frozen=True):
    """Everything an operator decided. `source` is the file it came from, if there was one."""

    server: ServerConfig
    storage: StorageConfig
    media: MediaConfig
    defaults: Defaults
    log: LogConfig
    metrics: MetricsConfig
    providers: tuple[Provider, ...]
    models: tuple[OperatorModel, ...]
    api_key: Secret | None
    admin_key: Secret | None
    """What opens /metrics on the callers' listener."""
    proxies: Proxies
    """Through which providers are reached, from HTTPS_PROXY and its like."""
    source: Path | None
    data_folder: Path


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong: where, and what to do."""

    key: str
    message: str
    line: int | None = None
    file: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        return f"{place}{self.key}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used; `problems` says why, one by one."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


SETTINGS: Final[Mapping[str, tuple[type, ...]]] = {
    "host": (str,),
    "port": (int,),
    "workers": (int,),
    "max_body_bytes": (int,),
    "max_body_bytes_in_flight": (int,),
    "max_open_calls": (int,),
    "tls_certificate": (str,),
    "tls_key": (str,),
    "trusted_proxies": (list,),
    "drain_delay_s": (int, float),
    "grace_s": (int, float),
    "commit_after_s": (int, float),
    "keep_alive_s": (int, float),
    "connect_timeout_s": (int, float),
    "first_byte_timeout_s": (int, float),
    "idle_timeout_s": (int, float),
}
"""The keys of [server] and their types; each is also PORTICO_<KEY>."""

THRESHOLDS: Final = ("BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF")
"""From which probability of harm on Google blocks (mapping.md 1.16)."""

_SWITCH: Final = ("true or false", lambda value: isinstance(value, bool))
_COUNT: Final = ("a whole number from 0", lambda value: type(value) is int and value >= 0)

DEFAULT_CHECKS: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "image_form": (f"one of {', '.join(IMAGE_FORMS)}", lambda value: value in IMAGE_FORMS),
    "markdown_slice_bytes": _COUNT,
    "show_thoughts": _SWITCH,
    "reasoning_details": _SWITCH,
    "small_max_tokens": _COUNT,
    "safety": (
        f'a table such as {{ HARM_CATEGORY_HARASSMENT = "BLOCK_NONE" }}, thresholds being {", ".join(THRESHOLDS)}',
        lambda value: _are_thresholds(value),
    ),
}
"""The keys of [defaults]: what each must be, in words and as a check."""

TABLES: Final[Mapping[str, frozenset[str]]] = {
    "server": frozenset(SETTINGS) | {"admin_key"},
    "storage": frozenset({"url"}),
    "media": frozenset({"allow", "max_bytes", "timeout_s"}),
    "defaults": frozenset(Defaults.__struct_fields__),
    "log": frozenset({"access"}),
    "metrics": frozenset({"listen"}),
    "providers": frozenset({"name", "kind", "base_url", "keys"}),
    "models": frozenset({"name", "target"}),
}


NO_URL: Final = "not an http(s) address without user, password and query"

LISTS: Final = frozenset({"providers", "models"})
"""Tables that may come several times."""


def load_config(
    environment: Mapping[str, str],
    *,
    file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Config:
    """The configuration: file, then environment, then what the command line gave. Raises `ConfigError`.

    `file`: from --config; else PORTICO_CONFIG; else portico.toml in `folder` (the working directory) if there is one.
    """
    folder = folder or Path.cwd()
    named = file or (Path(environment["PORTICO_CONFIG"]) if environment.get("PORTICO_CONFIG") else None)
    path = named or (folder / DEFAULT_FILE if (folder / DEFAULT_FILE).is_file() else None)
    return _Reader(environment, path, folder).read(overrides or {})


class _Reader:
    """Reads one configuration and collects everything that is wrong with it."""

    def __init__(self, environment: Mapping[str, str], path: Path | None, folder: Path) -> None:
        self._environment = environment
        self._path = path
        self._folder = folder.resolve()
        self._home = path.parent.resolve() if path else folder.resolve()
        self._text = ""
        self.problems: list[Problem] = []

    def read(self, overrides: Mapping[str, Any]) -> Config:
        tables = self._tables()
        server = self._server(tables.get("server", {}), overrides)
        url = self._environment.get("PORTICO_STORAGE_URL") or tables.get("storage", {}).get("url")
        if url is not None and not isinstance(url, str):
            self._problem("storage.url", f"expected text, found {url!r}")
            url = None
        storage = StorageConfig(url or f"sqlite:///{self._home / DATA_FOLDER / 'portico.db'}")
        media = self._media(tables.get("media", {}))
        defaults = self._defaults(tables.get("defaults", {}))
        providers = self._providers(tables.get("providers"))
        declared = {e.get("name", e.get("kind", "gemini")) for e in tables.get("providers", []) if isinstance(e, dict)}
        names = declared or {provider.name for provider in providers}
        models = self._models(tables.get("models", []), {name for name in names if isinstance(name, str)})
        api_key = self._environment.get("PORTICO_API_KEY")
        admin_key = self._admin_key(tables.get("server", {}).get("admin_key"))
        if admin_key is not None and admin_key.reveal() == api_key:
            self._problem("server.admin_key", "is the key of the callers; it must be another", in_file=False)
        asked = overrides.get("access_log")
        beside = self._home if asked is None else self._folder
        log = self._told("log", "access", tables, lambda value: access_of(value, beside), asked)
        listen = self._told("metrics", "listen", tables, listen_of)
        proxies, unusable = proxies_of(self._environment)
        for name, complaint in unusable:
            self._problem(name, complaint, in_file=False)
        if self.problems:
            raise ConfigError(self.problems)
        return Config(
            server=server,
            storage=storage,
            media=media,
            defaults=defaults,
            log=LogConfig() if log is None else LogConfig(log),
            metrics=MetricsConfig(listen),
            providers=tuple(providers),
            models=tuple(models),
            api_key=Secret(api_key, "env:PORTICO_API_KEY") if api_key else None,
            admin_key=admin_key,
            proxies=proxies,
            source=self._path,
            data_folder=self._data_folder(storage),
        )

    def _data_folder(self, storage: StorageConfig) -> Path:
        """Where data is kept: beside a database that is a file, else beside the configuration."""
        scheme, _, path = storage.url.partition(":///")
        return (self._home / path).parent if scheme == "sqlite" and path else self._home / DATA_FOLDER

    # -- the file

    def _tables(self) -> dict[str, Any]:
        if self._path is None:
            return {}
        try:
            self._text = self._path.read_text(encoding="utf-8")
            tables = tomllib.loads(self._text)
        except OSError as error:
            raise ConfigError([Problem("config", f"cannot be read: {error.strerror}", file=str(self._path))]) from None
        except UnicodeDecodeError:
            raise ConfigError([Problem("config", "is not UTF-8 text", file=str(self._path))]) from None
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            line = int(found.group(1)) if found else None
            raise ConfigError([Problem("toml", str(error), line, str(self._path))]) from None
        for name, table in tables.items():
            self._check_table(name, table)
        return {name: table for name, table in tables.items() if name in TABLES and self._has_shape(name, table)}

    def _has_shape(self, name: str, table: Any) -> bool:
        wanted = list if name in LISTS else dict
        return isinstance(table, wanted)

    def _check_table(self, name: str, table: Any) -> None:
        if name not in TABLES:
            self._problem(name, f"is no table of Portico's{_nearest(name, TABLES)}", line=self._line(name, None, 0))
            return
        if not self._has_shape(name, table):
            form = f"[[{name}]]" if name in LISTS else f"[{name}]"
            self._problem(name, f"must be written as {form}", line=self._line(name, None, 0))
            return
        for index, entry in enumerate(table if isinstance(table, list) else [table]):
            if not isinstance(entry, dict):
                self._problem(name, "must hold tables", line=self._line(name, None, index))
                continue
            for key in entry:
                if key not in TABLES[name]:
                    hint = _nearest(key, TABLES[name])
                    self._problem(f"{name}.{key}", f"is no key of this table{hint}", line=self._line(name, key, index))

    # -- sections

    def _server(self, table: Mapping[str, Any], overrides: Mapping[str, Any]) -> ServerConfig:
        values: dict[str, Any] = {}
        for key, types in SETTINGS.items():
            name, source = f"server.{key}", "file"
            value = table.get(key)
            text = self._environment.get(f"PORTICO_{key.upper()}")
            if text:
                name, source = f"PORTICO_{key.upper()}", "environment"
                value = _said(text, types)
            if overrides.get(key) is not None:
                name, source, value = f"--{key}", "command line", overrides[key]
            if value is None:
                continue
            line = self._line("server", key, 0) if source == "file" else None
            if isinstance(value, bool) or not isinstance(value, types):
                self._problem(
                    name, f"expected {_wanted(types)}, found {text or value!r}", line=line, in_file=source == "file"
                )
            elif (out := _out_of_bounds(key, value)) is not None:
                self._problem(name, out, line=line, in_file=source == "file")
            else:
                values[key] = value
        if values.get("max_body_bytes_in_flight", 512 * MIB) < values.get("max_body_bytes", 64 * MIB):
            in_file = self._line("server", "max_body_bytes_in_flight", 0)
            message = "is less than max_body_bytes: a body of that size could never be taken"
            self._problem("server.max_body_bytes_in_flight", message, line=in_file, in_file=in_file is not None)
        return ServerConfig(**self._as_kept(values, table))

    def _as_kept(self, values: dict[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
        """Values of [server] in their own types. A certificate and its key are only worth something together."""
        pair = ("tls_certificate", "tls_key")
        for given, other in (pair, pair[::-1]):
            if given in values and other not in values and not any(p.key.endswith(other) for p in self.problems):
                line = self._line("server", given, 0) if given in table else None
                self._problem(f"server.{given}", f"needs {other} beside it", line=line, in_file=given in table)
        kept = {key: self._home / value for key, value in values.items() if key in pair}
        return {**values, **kept, "trusted_proxies": tuple(values.get("trusted_proxies", ()))}

    def _admin_key(self, named: Any) -> Secret | None:
        if (given := self._from_environment("PORTICO_ADMIN_KEY")) is not None or named is None:
            return given
        secret = self._secret(named) if isinstance(named, str) else f"expected text, found {named!r}"
        if isinstance(secret, Secret):
            return secret
        self._at("server", "admin_key", 0, secret)
        return None

    def _told(
        self, table: str, key: str, tables: Mapping[str, Any], read: Callable[[Any], T], override: Any = None
    ) -> T | None:
        """The only setting of a table, as `read` understands it (it raises `ValueError`); None if it is not given."""
        variable = f"PORTICO_{table}_{key}".upper()
        text, stated = self._environment.get(variable), tables.get(table, {}).get(key)
        value = override if override is not None else text or stated
        if value is None:
            return None
        try:
            return read(value)
        except ValueError as error:
            message = f"{error}, found {value!r}"
            if override is not None:
                self._problem(f"--{key}-{table}", message, in_file=False)
            elif text:
                self._problem(variable, message, in_file=False)
            else:
                self._at(table, key, 0, message)
            return None

    def _media(self, table: Mapping[str, Any]) -> MediaConfig:
        values: dict[str, Any] = {}
        for key, types in (("max_bytes", (int,)), ("timeout_s", (int, float))):
            text = self._environment.get(f"PORTICO_MEDIA_{key.upper()}")
            value = _number(text) if text else table.get(key)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, types) or not 0 < value < float("inf"):
                wanted = "a number" if float in types else "a whole number"
                self._in_media(key, f"expected {wanted} above 0, found {text or value!r}", given=text)
            else:
                values[key] = value
        text = self._environment.get("PORTICO_MEDIA_ALLOW")
        allow = text.replace(",", " ").split() if text else table.get("allow", [])
        wanted = 'expected a list of hosts and networks such as ["10.1.0.0/16"]'
        if not isinstance(allow, list) or not all(isinstance(entry, str) for entry in allow):
            self._in_media("allow", f"{wanted}, found {allow!r}", given=text)
            return MediaConfig(**values)
        try:
            AllowList.of(allow)
            values["allow"] = tuple(allow)
        except ValueError as error:
            self._in_media("allow", f"{wanted}: {error}", given=text)
        return MediaConfig(**values)

    def _in_media(self, key: str, message: str, *, given: str | None) -> None:
        """`given`: by the environment."""
        if given:
            self._problem(f"PORTICO_MEDIA_{key.upper()}", message, in_file=False)
        else:
            self._at("media", key, 0, message)

    def _defaults(self, table: Mapping[str, Any]) -> Defaults:
        values: dict[str, Any] = {}
        for key, (wanted, fits) in DEFAULT_CHECKS.items():
            text = self._environment.get(f"PORTICO_{key.upper()}") if key != "safety" else None
            value = _plain_value(text) if text else table.get(key)
            if value is None:
                continue
            if fits(value):
                values[key] = value
            elif text:
                self._problem(f"PORTICO_{key.upper()}", f"expected {wanted}, found {text!r}", in_file=False)
            else:
                self._at("defaults", key, 0, f"expected {wanted}, found {value!r}")
        return Defaults(**values)

    def _providers(self, entries: list[Any] | None) -> list[Provider]:
        providers: list[Provider] = []
        if entries is None:
            for kind in KINDS.values():
                variable = f"{kind.name.upper()}_BASE_URL"
                base_url = self._environment.get(variable)
                if (secret := self._from_environment(kind.key_env)) is None:
                    continue
                if base_url and not _is_url(base_url):
                    self._problem(variable, f"{base_url!r} is {NO_URL}", in_file=False)
                else:
                    providers.append(Provider.at(kind.name, kind, base_url, (secret,)))
            return providers
        for index, entry in enumerate(entries):
            provider = self._provider(entry, index) if isinstance(entry, dict) else None
            if provider is None:
                continue
            if any(provider.name == other.name for other in providers):
                line = self._line("providers", "name", index)
                self._problem("providers.name", f"{provider.name!r} is used twice", line=line)
            providers.append(provider)
        return providers

    def _provider(self, entry: Mapping[str, Any], index: int) -> Provider | None:
        kind_name = entry.get("kind", "gemini")
        name, base_url, keys = entry.get("name", kind_name), entry.get("base_url"), entry.get("keys")
        kind = KINDS.get(kind_name) if isinstance(kind_name, str) else None
        before = len(self.problems)
        if kind is None:
            self._at("providers", "kind", index, f"{kind_name!r} is no kind of provider; known: {', '.join(KINDS)}")
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            self._at("providers", "name", index, f"{name!r} is no name: letters, digits, '.', '_' and '-' are")
        if base_url is not None and not _is_url(base_url):
            self._at("providers", "base_url", index, f"{base_url!r} is {NO_URL}")
        if kind is not None and keys is None:
            keys = [f"env:{kind.key_env}"]
        secrets = self._secrets(keys, index)
        if kind is None or len(self.problems) > before:
            return None
        return Provider.at(str(name), kind, base_url, tuple(secrets))

    def _secrets(self, keys: Any, index: int) -> list[Secret]:
        if not isinstance(keys, list) or not keys:
            self._at("providers", "keys", index, 'expected a list such as ["env:GEMINI_API_KEY"]')
            return []
        secrets: list[Secret] = []
        for item in keys:
            secret = self._secret(item) if isinstance(item, str) else f"expected text, found {item!r}"
            if isinstance(secret, str):
                self._at("providers", "keys", index, secret)
            else:
                secrets.append(secret)
        return secrets

    def _secret(self, item: str) -> Secret | str:
        """The secret an item names; text says why there is none."""
        scheme, colon, where = item.partition(":")
        if scheme == "env" and colon:
            return self._from_environment(where) or f"the environment variable {where} is not set"
        if scheme == "file" and colon:
            path = self._home / where
            try:
                value = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                return f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not text'}"
            return Secret(value, item) if value else f"{path} is empty"
        return "keys are named, not written here: use env:NAME or file:PATH"

    def _from_environment(self, name: str) -> Secret | None:
        value = self._environment.get(name, "").strip()
        return Secret(value, f"env:{name}") if value else None

    def _models(self, entries: list[Any], providers: set[str]) -> list[OperatorModel]:
        models: list[OperatorModel] = []
        for index, entry in enumerate(entries):
            if not isinstance(entry, dict):
                continue
            name, target = entry.get("name"), entry.get("target")
            if not isinstance(name, str) or not isinstance(target, str):
                key = "target" if isinstance(name, str) else "name"
                self._at("models", key, index, 'a model needs name = "…" and target = "provider/upstream-model"')
                continue
            provider = target.partition("/")[0]
            if provider not in providers:
                known = ", ".join(sorted(providers)) or "none"
                self._at("models", "target", index, f"there is no provider {provider!r} (configured: {known})")
                continue
            try:
                load_catalog().with_models([OperatorModel(name, target)])
            except CatalogError as error:
                self._at("models", "target" if ".target" in error.where else "name", index, str(error))
                continue
            models.append(OperatorModel(name, target))
        return models

    # -- saying what is wrong

    def _at(self, table: str, key: str, index: int, message: str) -> None:
        line = self._line(table, key, index) or self._line(table, None, index)
        place = f"{table}[{index}]" if table in LISTS else table
        self._problem(f"{place}.{key}", message, line=line)

    def _problem(self, key: str, message: str, *, line: int | None = None, in_file: bool = True) -> None:
        file = str(self._path) if self._path is not None and in_file else None
        self.problems.append(Problem(key, message, line, file))

    def _line(self, table: str, key: str | None, index: int) -> int | None:
        """The line of the n-th table of that name, or of a key in it."""
        wanted = re.compile(rf"\s*\"?{re.escape(key or table)}\"?\s*=")
        seen = -1
        inside = False
        for number, line in enumerate(self._text.splitlines(), start=1):
            header = re.match(r"\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]?\]", line)
            if header:
                if key is not None and header.group(1) == f"{table}.{key}":
                    return number
                inside = header.group(1) == table
                seen += inside
                if inside and key is None and seen == index:
                    return number
            elif wanted.match(line) and (key is None or (inside and seen == index)):
                return number
        return None


def _are_thresholds(value: Any) -> bool:
    return isinstance(value, dict) and all(
        re.fullmatch(r"HARM_CATEGORY_[A-Z_]+", category) and threshold in THRESHOLDS
        for category, threshold in value.items()
    )


def _plain_value(text: str) -> Any:
    """What a variable says: true, false, a number, else text."""
    return {"true": True, "false": False}.get(text.lower(), _number(text))


def _said(text: str, types: tuple[type, ...]) -> Any:
    """What a variable says, where one of these types is wanted; a list is written with commas or spaces."""
    if list in types:
        return text.replace(",", " ").split()
    return text if str in types else _number(text)


def _wanted(types: tuple[type, ...]) -> str:
    words: dict[tuple[type, ...], str] = {
        (str,): "text",
        (int,): "a whole number",
        (list,): 'a list such as ["10.0.0.0/8"]',
    }
    return words.get(types, "a number")


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _out_of_bounds(key: str, value: Any) -> str | None:
    if key == "port" and not 0 <= value <= MAX_PORT:
        return f"{value} is not a port (0 to {MAX_PORT}; 0 takes a free one)"
    if key == "workers" and not 1 <= value <= 256:
        return f"{value} is not between 1 and 256"
    if key == "trusted_proxies":
        try:
            TrustedProxies.of(value)
        except (ValueError, TypeError) as error:
            return f"expected addresses and networks: {error}"
    elif key == "drain_delay_s" and value == 0:
        return None
    elif not isinstance(value, str) and key not in ("port", "workers") and not 0 < value < float("inf"):
        return f"{value} is not above 0"
    return None


def _is_url(value: Any) -> bool:
    if not isinstance(value, str) or re.fullmatch(r"https?://[^\s?#]+", value) is None:
        return False
    try:
        parse_address(value)
    except ValueError:
        return False
    return True


def _nearest(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(known))}"
