"""`portico translate`: documents from standard input, translated, to standard output."""

import asyncio
import os
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from portico.catalog import load_catalog
from portico.cli.media import fetcher_of
from portico.config import load_config
from portico.core.loss import Loss, as_json
from portico.providers import KINDS
from portico.providers.intake import GOOGLE
from portico.relay.media import fetched
from portico.relay.translate import (
    DIALECTS,
    NotAStream,
    Translated,
    Translator,
    error_of,
    events_of,
    frames_of,
    speaks,
)
from portico.wire import jsontext, raw
from portico.wire.sse import Frame, SseDecoder

PIECE_BYTES = 64 * 1024


class Options(msgspec.Struct, frozen=True):
    """The options of the command."""

    source: str
    to: str
    model: str | None = None
    provider: str | None = None
    jsonl: bool = False
    raw: bool = False
    seed: int = 0
    now: int = 0
    fetch: bool = False
    usage: bool = True
    thoughts: bool = False
    image_form: str = "markdown"


def run_translate(what: str, options: Options, source: BinaryIO | None = None, out: BinaryIO | None = None) -> int:
    """Translates what comes in; returns the exit code."""
    source = source or sys.stdin.buffer
    out = out or sys.stdout.buffer
    if (wrong := _senseless(what, options)) is not None:
        print(wrong, file=sys.stderr)
        return 2
    translator = Translator(
        DIALECTS[options.source],
        DIALECTS[options.to],
        load_catalog(),
        model=options.model,
        provider=options.provider,
        seed=options.seed,
        now=options.now,
        usage=options.usage,
        thoughts=options.thoughts,
        image_form=options.image_form,
    )
    if options.jsonl:
        return _each_line(what, options, translator, source, out)
    if what == "stream":
        return _plain_stream(options, translator, source, out)
    line, failed = _document(what, options, translator, source.read())
    out.write(line + b"\n")
    out.flush()
    return 1 if failed else 0


def _senseless(what: str, options: Options) -> str | None:
    """Why options cannot be meant together."""
    if options.raw and options.source != options.to:
        return "--raw is the path of a dialect to itself: --from and --to must be the same."
    if options.provider is None:
        return None
    if what != "request":
        return "--provider is whom a request is for; answers and streams are read whoever gave them."
    kind = KINDS[options.provider]
    if speaks(kind, DIALECTS[options.to]):
        return None
    spoken = ", ".join([name for name, dialect in DIALECTS.items() if speaks(kind, dialect)])
    return f"{kind.name} does not speak {options.to}; it speaks {spoken}."


def _each_line(what: str, options: Options, translator: Translator, source: BinaryIO, out: BinaryIO) -> int:
    failures = 0
    for line in source:
        result, failed = _document(what, options, translator, line)
        failures += failed
        out.write(result + b"\n")
        out.flush()
    return 1 if failures else 0


def _document(what: str, options: Options, translator: Translator, data: bytes) -> tuple[bytes, bool]:
    """One document translated, as a line, and whether it failed."""
    try:
        value = jsontext.decode(data)
        if what == "stream":
            return jsontext.encode(_listed_stream(options, translator, value)), False
        if options.raw:
            return jsontext.encode({"body": msgspec.Raw(_untouched(what, options, data)), "losses": []}), False
        done = _request(options, translator, value) if what == "request" else translator.response(value)
        return jsontext.encode({"body": done.body, "losses": as_json(done.losses)}), False
    except Exception as error:  # noqa: BLE001 - one document that breaks us must not cost the others
        return jsontext.encode({"error": error_of(error)}), True


def _untouched(what: str, options: Options, data: bytes) -> bytes:
    """The bytes of a body as the same dialect's provider gets them: only the model's name is set where one is given."""
    passing = DIALECTS[options.source].passing
    if what == "request" and options.model and not (passing is not None and passing.model_in_path):
        data = raw.patch(data, {"model": options.model})
    return data.strip()


def _request(options: Options, translator: Translator, value: Any) -> Translated:
    if not options.fetch:
        return translator.request(value)
    return asyncio.run(_with_media(translator, value))


async def _with_media(translator: Translator, value: Any) -> Translated:
    """The request with its remote files inline; the configuration says what may be fetched beside the open Internet."""
    fetcher = fetcher_of(load_config(os.environ).media)
    try:
        request = translator.parsed(value)
        return translator.rendered(await fetched(request, fetcher, translator.intakes(request) or [GOOGLE]))
    finally:
        await fetcher.aclose()


def _listed_stream(options: Options, translator: Translator, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or "sse" not in value:
        raise NotAStream('a line of a stream is {"sse": [event, …]}')
    if options.raw:
        return {"sse": value["sse"], "losses": []}
    stream = translator.stream()
    frames = stream.feed(frames_of(value["sse"]))
    frames += stream.close()
    return {"sse": events_of(frames), "losses": as_json(stream.losses)}


def _plain_stream(options: Options, translator: Translator, source: BinaryIO, out: BinaryIO) -> int:
    """An event stream as bytes, translated while it comes."""
    if options.raw:
        for piece in _pieces(source):
            out.write(piece)
            out.flush()
        _tell([])
        return 0
    frame = DIALECTS[options.to].frame
    stream = translator.stream()
    decoder = SseDecoder()
    array = _Array()
    for piece in _pieces(source):
        if array.takes(piece):
            continue
        out.write(b"".join([frame(item) for item in stream.feed(decoder.feed(piece))]))
        out.flush()
    frames = array.frames() if array.found else decoder.close()
    out.write(b"".join([frame(item) for item in [*stream.feed(frames), *stream.close()]]))
    out.flush()
    _tell(stream.losses)
    return 0


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    read = getattr(source, "read1", source.read)
    while piece := read(PIECE_BYTES):
        yield piece


class _Array:
    """Google's other framing, a stream as one JSON array (mapping.md 0): kept whole, since nobody types it by hand."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._began = False
        self.found = False

    def takes(self, piece: bytes) -> bool:
        """Whether this piece belongs to an array."""
        if not self._began and piece.strip():
            self._began = True
            self.found = piece.lstrip().startswith(b"[")
        if self.found:
            self._kept.append(piece)
        return self.found

    def frames(self) -> list[Frame]:
        data = b"".join(self._kept)
        try:
            items = jsontext.decode(data)
        except jsontext.NotJson:
            return [Frame(data)]
        return list(frames_of(items))


def _tell(losses: list[Loss]) -> None:
    print(jsontext.dumps({"losses": as_json(losses)}), file=sys.stderr)
