"""Putting an answer on the wire the way Google frames it, and breaking it on purpose where a fault asks for it.

With `alt=sse`: `data: {json}` and CRLF CRLF, no event names, no [DONE]. Without: one JSON array that grows. Errors of an
SSE call are plain pretty-printed JSON under the content type of the stream; without SSE a one-element array.
"""

import asyncio
import json
import time
from collections.abc import Iterator

from portico.simulator.faults import Wishes
from portico.simulator.refusal import Json, Refused
from portico.simulator.routes import Route
from portico.simulator.stats import Stats
from portico.wire.http import Exchange, Headers
from portico.wire.jsontext import encode

_JSON = "application/json; charset=UTF-8"


class Delivery:
    """One exchange being answered; counts what it writes in `stats`."""

    def __init__(self, exchange: Exchange, where: Route | None, stats: Stats, pace_s: float) -> None:
        self.exchange = exchange
        self.where = where
        self.stats = stats
        self.pace_s = pace_s

    def headers(self, content_type: str) -> Headers:
        """Google's, and the mark that this is not Google."""
        return (
            ("content-type", content_type),
            ("vary", "Origin, X-Origin, Referer"),
            ("x-gemini-service-tier", "standard"),
            ("x-portico-simulated", "1"),
        )

    def json(self, body: Json, status: int = 200) -> None:
        """A whole answer."""
        self._send(status, _JSON, self._pretty(body))

    def refuse(self, refused: Refused) -> None:
        """An error, framed as the method asked for."""
        body, kind = refused.body(), _JSON
        if self.where is not None and self.where.sse:
            kind = "text/event-stream"
        data = self._pretty([body] if self.where is not None and self.where.stream and not self.where.sse else body)
        self._send(refused.code, kind, data)

    def html(self, status: int, title: str, text: str) -> None:
        """What Google's front end says when the API is not reached at all."""
        page = (
            f"<!DOCTYPE html>\n<html lang=en>\n<title>Error {status} ({title})!!1</title>\n<p><b>{status}.</b> {text}\n"
        )
        self._send(status, "text/html; charset=UTF-8", page.encode())

    async def whole(self, body: Json, asked: Wishes) -> None:
        """The answer of generateContent, or what a fault makes of it."""
        if await self._spoiled(asked):
            return
        data = self._pretty(body)
        if "cut" in asked or "error-mid" in asked:
            self.exchange.start(200, self.headers(_JSON))
            self._write(data[: len(data) // 2])
            await self._drain()
            self.exchange.abort()
            return
        self._send(200, _JSON, data)

    async def events(self, events: Iterator[Json], asked: Wishes) -> None:
        """The answer of streamGenerateContent, or what a fault makes of it."""
        if await self._spoiled(asked):
            return
        sse = self.where is not None and self.where.sse
        self.exchange.start(200, self.headers("text/event-stream" if sse else _JSON))
        pace = asked.number("slow", self.pace_s) if "slow" in asked else self.pace_s
        cut = int(asked.number("cut", 1)) if "cut" in asked else -1
        error = int(asked.number("error-mid", 1)) if "error-mid" in asked else -1
        for number, event in enumerate(events):
            if number == cut:
                self.exchange.abort()
                return
            if number == error:
                event = _OVERLOADED.body()
            if number and pace:
                await asyncio.sleep(pace)
            self._write(_frame(event, number, sse=sse))
            await self._drain()
            if number == 0 and "stall-mid" in asked:
                await asyncio.sleep(asked.number("stall-mid", 5))
            if number == error:
                break
        if cut >= 0:
            self.exchange.abort()
            return
        if not sse:
            self._write(b"]")
        self.exchange.finish()

    async def _spoiled(self, asked: Wishes) -> bool:
        if "stall" in asked:
            await asyncio.sleep(asked.number("stall", 5))
        if "cut-before" in asked:
            self.exchange.abort()
        elif "html-502" in asked:
            text = "The server encountered a temporary error and could not complete your request."
            self.html(502, "Server Error", text)
        elif "garbage" in asked:
            stream = self.where is not None and self.where.sse
            prefix = b"data: " if stream else b""
            self._send(
                200, "text/event-stream" if stream else _JSON, prefix + b'{"candidates": [{"content": oops\r\n\r\n'
            )
        else:
            return False
        return True

    def _pretty(self, body: object) -> bytes:
        if self.where is not None and self.where.query.get("prettyPrint") == "false":
            return encode(body)
        return json.dumps(body, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"

    def _send(self, status: int, content_type: str, data: bytes) -> None:
        self.stats.bytes_written += len(data)
        self.exchange.send(status, self.headers(content_type), data)

    def _write(self, data: bytes) -> None:
        self.stats.bytes_written += len(data)
        self.exchange.write(data)

    async def _drain(self) -> None:
        started = time.monotonic()
        self.stats.waiting += 1
        try:
            await self.exchange.drain()
        finally:
            self.stats.waiting -= 1
            self.stats.blocked_s += time.monotonic() - started


_OVERLOADED = Refused("The model is overloaded. Please try again later.", code=503)


def _frame(event: Json, number: int, *, sse: bool) -> bytes:
    if sse:
        return b"data: " + encode(event) + b"\r\n\r\n"
    return (b",\r\n" if number else b"[") + encode(event)
