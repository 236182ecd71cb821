"""`portico check`: is the configuration right, and does every provider take its keys?"""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from portico.admin.desk import Probed
from portico.catalog import CatalogError, load_catalog
from portico.cli.admin.show import printable
from portico.cli.loop import run
from portico.cli.stored_keys import at_start
from portico.cli.tls import server_tls
from portico.config import Config, ConfigError, Problem, load_config
from portico.core.errors import Conflict, UpstreamError
from portico.http.client import HttpUpstream
from portico.providers import Provider, Secret, check_url
from portico.relay.ports import UpstreamRequest
from portico.relay.signing import Signer
from portico.wire import jsontext

TIMEOUT_S = 15.0


def run_check(*, config: Path | None, as_json: bool) -> int:
    """Says what is wrong; returns 1 if anything is."""
    try:
        settings = load_config(os.environ, file=config)
        load_catalog().with_models(settings.models)
    except ConfigError as error:
        return _report(None, error.problems, [], as_json=as_json)
    except CatalogError as error:
        return _report(None, [Problem(error.where, str(error))], [], as_json=as_json)
    problems = []
    warnings: list[str] = []
    try:
        tls = server_tls(settings)
        if tls is not None and (warning := tls.warning()) is not None:
            warnings.append(warning)
    except ConfigError as error:
        problems += error.problems
    settings, complaints = at_start(settings)
    problems += [Problem("credentials", complaint) for complaint in complaints]
    if not settings.providers:
        problems.append(
            Problem(
                "providers",
                "none is configured; set GEMINI_API_KEY, OPENAI_API_KEY or ANTHROPIC_API_KEY, add [[providers]],"
                " or use `portico credentials add`",
            )
        )
    tried: list[dict[str, Any]] = []

    async def main() -> int:
        upstream = HttpUpstream(proxies=settings.proxies)
        signer = Signer(upstream, time.time)
        try:
            for provider in settings.providers:
                tried.extend([await _try(upstream, signer, provider, secret) for secret in provider.keys])
        finally:
            await upstream.aclose()
        return 0

    run(main)
    return _report(settings, problems, tried, warnings, as_json=as_json)


def probe(settings: Config, name: str) -> list[Probed]:
    """How a provider takes each of its keys, those of the database too. To be called beside any loop. Raises `Conflict`
    where it has none."""
    found, complaints = at_start(settings)
    provider = next((one for one in found.providers if one.name == name), None)
    if provider is None:
        raise Conflict(" ".join(complaints) or f"{name} has no key to be asked with.")

    async def main() -> list[dict[str, Any]]:
        upstream = HttpUpstream(proxies=found.proxies)
        signer = Signer(upstream, time.time)
        try:
            return [await _try(upstream, signer, provider, secret) for secret in provider.keys]
        finally:
            await upstream.aclose()

    tried = asyncio.run(main())
    return [Probed(key=one["key"], ok=one["ok"], error=one["error"] or "") for one in tried]


async def _try(upstream: HttpUpstream, signer: Signer, provider: Provider, secret: Secret) -> dict[str, Any]:
    """Lists the provider's models with a key, which costs nothing."""
    result: dict[str, Any] = {"provider": provider.name, "url": provider.base_url, "key": secret.source}
    spoken = provider.kind.spoken[0]
    try:
        request = UpstreamRequest(
            url=check_url(provider),
            headers=await signer.headers(provider, spoken, secret),
            method="GET",
            first_byte_timeout_s=TIMEOUT_S,
            idle_timeout_s=TIMEOUT_S,
        )
        response = await upstream.send(request)
        try:
            body = await response.read()
        finally:
            response.close()
        if response.status != 200:
            raise provider.kind.dialect.parse_error(response.status, secret.hidden_in(body), response.headers)
    except UpstreamError as error:
        said = f"{error.message}" + (f" [{error.reason}]" if error.reason else "")
        return {**result, "ok": False, "error": said}
    return {**result, "ok": True, "error": None}


def _report(
    settings: Config | None,
    problems: list[Problem],
    tried: list[dict[str, Any]],
    warnings: Sequence[str] = (),
    *,
    as_json: bool,
) -> int:
    failed = bool(problems) or not all(item["ok"] for item in tried)
    source = str(settings.source) if settings and settings.source else None
    if as_json:
        listed = [{"file": p.file, "line": p.line, "key": p.key, "message": p.message} for p in problems]
        told = {"ok": not failed, "config": source, "problems": listed, "warnings": list(warnings), "providers": tried}
        print(jsontext.dumps(told))
        return 1 if failed else 0
    if settings is not None:
        print(f"Configuration: {source or 'no file; the environment only'}")
    for problem in problems:
        print(f"  wrong  {problem}", file=sys.stderr)
    for warning in warnings:
        print(f"  careful  {warning}", file=sys.stderr)
    for item in tried:
        state = "ok    " if item["ok"] else "failed"
        print(
            f"  {state} {item['provider']} at {item['url']} with {item['key']}"
            + (f": {printable(item['error'])}" if item["error"] else "")
        )
    if not failed:
        print("All is well.")
    return 1 if failed else 0
