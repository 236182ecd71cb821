"""The contract a dialect keeps: a wire format, spoken both ways, pure.

A dialect is one folder and one `Dialect` value. Nothing in it opens a socket, reads a clock or awaits. Whole bodies are
plain JSON values; streams are frames (`wire/sse.py`) in and out of small machines that are fed and closed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from portico.core.ask import Ask
from portico.core.embedding import Embedding
from portico.core.errors import PorticoError, UpstreamError
from portico.core.events import Event, PartDelta
from portico.core.ids import Mint
from portico.core.loss import Loss, Where
from portico.core.request import Request
from portico.core.response import Response
from portico.core.target import Capabilities, Target
from portico.core.usage import Usage
from portico.wire.raw import Named, named, says_twice
from portico.wire.sse import Around, Frame


class Rendered(msgspec.Struct, frozen=True):
    """A body for the wire (a JSON value, or a `RawBody`) and what it could not say.

    `tool_names` maps a tool's name in this body to the caller's name for it, where they had to differ.
    """

    body: Any
    losses: list[Loss] = []
    tool_names: Mapping[str, str] = {}


class RawBody(msgspec.Struct, frozen=True):
    """A body of an answer that is no JSON: sound, subtitles, plain text. `Rendered.body` may be one."""

    content_type: str
    data: bytes
    finish: Callable[[bytes], bytes] | None = None
    """What is still to be made of the data, if that takes time: it is run beside everything else."""


class Demands(msgspec.Struct, frozen=True):
    """What a model must be able to do so that calls of a dialect make sense for it: modalities, as the catalog has them."""

    makes: str
    takes: str = "text"
    alone: bool = False
    """It makes nothing else: a model that speaks and writes would answer a text instead of reading it."""


class Product(msgspec.Struct, frozen=True):
    """What the answers of an operation are for, where text is none: one without it is a failure."""

    holds: Callable[[Response], bool]
    """Whether an answer has it."""
    lacking: Callable[[Response], UpstreamError]
    """What is wrong with one that has not."""
    some_will_do: bool = False
    """Of several that were asked for, those that came are an answer."""
    whole: bool = False
    """No part of it is worth showing: where a stream is wanted, the provider is asked for a whole answer, which is told as
    one."""


class Reading(msgspec.Struct, frozen=True):
    """What a reader of an answer needs to know of the request it answers.

    `mint` makes ids for calls that came without; `tool_names` is what `render_request` gave; `tools` are the schemas of
    the declared tools by the caller's name (None: unknown), `custom` those of them that take free text, `signer` who signs
    (`Target.signer`).
    """

    mint: Mint
    tool_names: Mapping[str, str] = {}
    tools: Mapping[str, Mapping[str, Any] | None] = {}
    custom: frozenset[str] = frozenset()
    signer: str | None = None


class Reply(msgspec.Struct, frozen=True):
    """What a writer of an answer needs to know of the caller it answers.

    `model` is the name the caller asked for (None: the provider's own is told). `id` serves where the provider gave none.
    """

    id: str
    created: int
    model: str | None = None
    include_usage: bool = False
    thoughts: bool = False
    seals: bool = False
    """The caller asked for thoughts, shown or not, and brings sealed blobs back as they were told (mapping.md 7.4)."""
    search_blocks: bool = False
    """The caller declared a search of the web, and so reads what was found in the blocks of that tool (mapping.md 7.1)."""
    thought_tag: str | None = None
    legacy_functions: bool = False
    image_form: str = "markdown"
    """How an image of the answer is told: `markdown`, `images` or `parts` (mapping.md 2.8)."""
    markdown_slice_bytes: int = 0
    """The longest piece of an image that a stream tells at once inside the text; 0: it comes whole."""
    audio_format: str | None = None
    """`wav` or `pcm16`; None: speech is told as the provider gave it."""
    reasoning_details: bool = False
    """Thoughts and signatures are told once more, as OpenRouter's clients read them (mapping.md 2.4, channel B)."""
    own_id: bool = False
    """The answer is found by its id later: it is told with ours, for a provider may give two answers one."""
    echo: Mapping[str, Any] = {}
    """Settings of the request that an answer repeats (`Request.echo`)."""
    cost: Callable[[], int] | None = None
    """What the answer costs its caller, in nano-dollars, asked when its usage is told; None: that is not told."""


class StreamReader(Protocol):
    """Frames of one provider's stream -> events, in the grammar of `core/events.py`."""

    def feed(self, frame: Frame) -> list[Event]: ...

    def more(self, frame: Frame) -> PartDelta | None:  # noqa: ARG002
        """More of a part that is open, where a frame is nothing else: what `feed` would give, found by one look. None: it
        has to be fed. What it gave counts when it is noted: before anything else is asked, many of them as one."""
        return None

    def note(self, more: PartDelta) -> None:
        """What `more` gave since the last time, joined."""
        del more

    def put_off(self) -> list[Event]:
        """What was read and not told yet because the next frame may replace it: counts. `close` tells them too."""

    def close(self) -> list[Event]:
        """The provider closed the stream: the last events, `Failed` if it was not complete."""


class StreamWriter(Protocol):
    """Events -> frames of one caller's stream. `losses` grows as things turn up that this dialect cannot say."""

    losses: list[Loss]

    def feed(self, event: Event) -> list[Frame]: ...

    def around(self, candidate: int, index: int) -> Around | None:  # noqa: ARG002
        """What stands around more of an open part, as a JSON string, in the one frame that tells it: so until something
        else is fed. None: it has to be fed. What was told by it counts when it is noted: before anything else is fed."""
        return None

    def note(self, more: PartDelta) -> None:
        """What was told by `around` since the last time, joined."""
        del more

    def close(self) -> list[Frame]: ...


class RawWriter(Protocol):
    """Events -> the pieces of an answer that is no JSON. Raises `UpstreamError` for what cannot be told."""

    content_type: str
    """Known once there is a piece."""

    def feed(self, event: Event) -> bytes: ...

    def close(self) -> bytes: ...


class Seen(msgspec.Struct, frozen=True):
    """What was learned of an answer that passed untouched. `usage` is the last that was reported."""

    model: str | None = None
    """The name the provider answered with."""
    usage: Usage | None = None
    service_tier: str | None = None
    uses: Mapping[str, int] = {}
    """The provider's own tools that it used, and how often: `web_search` (queries), `google_maps`, `url_context` …"""
    raw_usage: Any = None
    """The counts as the provider sent them; a list where several calls were made."""
    empty: bool = False
    """There is nothing in it, and no limit or filter that says why."""
    shown: int = 0
    """Bytes of text that it holds, and of what calls are made with, where no usage tells more."""
    pictures: int = 0
    """How many it holds."""
    heard_s: float = 0.0
    """Seconds of sound that were written down, where no usage tells more."""
    spoken_s: float = 0.0
    """Seconds of speech it holds, where no usage tells more."""
    guessed: bool = False
    """`uses` were not reported: they are what the gateway counted itself."""


class StreamWatch(Protocol):
    """Looks at the frames of a stream that passes between two ends of one dialect, and changes what it must."""

    @property
    def model(self) -> str | None:
        """The name the provider answers with, once it is known."""

    @property
    def ended(self) -> bool:
        """Nothing more is passed, whatever still comes."""

    @property
    def counts(self) -> bool:
        """Whether it is an answer so far: something is in it, or a limit or a filter says why not."""

    def feed(self, frame: Frame) -> list[Frame]:
        """The frames to pass on for one that came. Raises `UpstreamError` for what is no answer, and for an error told
        before anything was passed; a later one is passed on and is the end."""

    def close(self) -> None:
        """The provider closed the stream. Raises `UpstreamEmpty` or `UpstreamIncomplete` if it was not complete."""

    def seen(self) -> Seen:
        """What the stream told so far."""

    @property
    def named(self) -> str | None:
        """The event name that frames are passed on with of which `more` says so."""

    def more(self, frame: Frame) -> bool:
        """Notes a frame, if it is but more of a text and its data pass as they are, found by one look. False: it has to be
        fed."""


class LooksAtAll:
    """What a watch is that has no quick look at a frame."""

    named: str | None = None

    def more(self, frame: Frame) -> bool:  # noqa: ARG002
        return False


class Passing(msgspec.Struct, frozen=True):
    """How bodies pass between two ends of one dialect: their bytes untouched but for what stands here."""

    renamed: Callable[[bytes, str], bytes]
    """(body, upstream model) -> the body with that name wherever it names its model, and with whatever else has to be
    changed before it is sent. Raises `BodyNotJson` and `InvalidRequest`."""
    response: Callable[[bytes], Seen]
    """What a whole answer tells. Raises `UpstreamError` if it tells an error, or is no answer."""
    watch: Callable[[str], StreamWatch]
    """A watch on one stream, given the id that it has if the provider gives none."""
    ask: Callable[[bytes], Ask]
    """The sizes of a body, and what of it changes the price. Raises `BodyNotJson`."""
    model_in_path: bool = False
    """A request for an answer names its model in the path alone: its body goes as it is, and `renamed` is for others."""
    watch_for: Callable[[str, bytes], StreamWatch] | None = None
    """The same as `watch`, given the caller's body too, where that decides what of the stream is passed on."""
    named: Callable[[bytes], Named | None] = named
    """What a body says of itself at its top: its model, and whether a stream is wanted. None: it has to be read."""
    says_twice: Callable[[bytes], bool] = says_twice
    """Whether what decides where a call goes comes twice in a body."""
    response_to: Callable[[bytes, bytes], Seen] | None = None
    """The same as `response`, given the caller's body too, where the answer does not tell what it costs."""
    marks: tuple[bytes, ...] = ()
    """What only stands in bodies that mean something to the gateway, or hold what is another vendor's: one in which any of
    these bytes stand is read."""

    beyond: Callable[[bytes, Capabilities], bool] | None = None
    """Whether a body asks of a model what the catalog knows that it refuses; None: nothing is looked for. It is read, and
    said in what the model takes. Asked of every call: it looks at nothing of which the model takes all."""

    without_tools: Callable[[bytes, Collection[str]], bytes | None] | None = None
    """A body, of valid JSON, without the tools of the provider that prices know by these names; None where the caller
    has no tools of its own beside them, or chooses one of them: without them it would ask for something else."""

    def may_pass(self, body: bytes) -> bool:
        """Whether nothing in a body is meant for the gateway alone."""
        return not any(mark in body for mark in self.marks)

    def watching(self, fresh_id: str, body: bytes) -> StreamWatch:
        """A watch on the stream that answers a caller's body."""
        return self.watch(fresh_id) if self.watch_for is None else self.watch_for(fresh_id, body)

    def seen(self, answer: bytes, body: bytes) -> Seen:
        """What a whole answer to a caller's body tells. Raises `UpstreamError` as `response` does."""
        return self.response(answer) if self.response_to is None else self.response_to(answer, body)


class Counting(msgspec.Struct, frozen=True):
    """How a dialect asks how many tokens a request has, for a request that was rendered for a provider."""

    asked: Callable[[Any], Any]
    """A caller's question -> the body of the request that is asked about."""
    question: Callable[[Any, Target], Any]
    """A rendered request -> the body of the question to the provider."""
    read: Callable[[Any], int | None]
    """The provider's answer -> the number; None for what is no answer."""
    tell: Callable[[int], Any]
    """The number -> the answer to the caller."""


class Continuing(msgspec.Struct, frozen=True):
    """What a body says of answers that are kept between calls."""

    keeps: bool
    """Its own answer is to be kept."""
    previous: str | None
    """The id of the answer it goes on from."""
    new: tuple[bytes, ...]
    """The items it brings itself, each as JSON."""
    named: Mapping[int, str] = {}
    """Those of them that only name another: where they stand -> the other's id."""


class KeptAnswer(msgspec.Struct, frozen=True):
    """What later calls may name of an answer: its id, and each of its items with its own ("": it has none)."""

    id: str
    items: tuple[tuple[str, bytes], ...]


class KeptTurn(msgspec.Struct, frozen=True):
    """An answer that is kept, with what its request brought."""

    id: str
    previous: str | None
    input: bytes
    """The new items of the request, a JSON list."""
    response: bytes
    """The answer as it was told."""
    native: bool = True
    """The dialect's own provider made it: everything in it can be given back to that as it is."""


class Continued(Protocol):
    def __call__(self, body: bytes, items: Sequence[bytes], *, asked: Continuing, thinks: bool) -> bytes:
        """A body that stands alone, with these items. `thinks`: the model may have thoughts to be kept."""


class Told(Protocol):
    def __call__(self, answer: bytes, asked: Continuing, *, kept: bool) -> bytes:
        """A whole answer that says of itself what was asked, and whether it is kept."""


class ToldFrame(Protocol):
    def __call__(self, frame: Frame, asked: Continuing, *, kept: bool) -> tuple[Frame, bytes | None]:
        """The same of a stream's frame, and the whole answer if it is the one that ends it."""


class State(msgspec.Struct, frozen=True):
    """How a dialect speaks of what is kept between calls. All pure: `relay/stored.py` keeps."""

    read: Callable[[bytes], Continuing | None]
    """What a body says; None for one that cannot be read."""
    continued: Continued
    told: Told
    told_frame: ToldFrame
    kept: Callable[[bytes], KeptAnswer | None]
    """What of a whole answer is to be kept; None: nothing."""
    input_items: Callable[[Sequence[KeptTurn]], list[dict[str, Any]]]
    """What the last of some turns was asked with, as it is listed."""


class ParseRequest(Protocol):
    def __call__(self, body: Any, *, model: str | None = None, stream: bool | None = None) -> Request:
        """A body as a request. `model` and `stream` are given where the dialect puts them in the path.

        Raises `InvalidRequest` with the path of the offending value as `param`.
        """


class ParseError(Protocol):
    def __call__(self, status: int, body: bytes, headers: Mapping[str, str] = ..., /) -> UpstreamError:
        """A failed answer as an error. `status` 0: it came as a good one. `headers`, their names in small letters, say when
        it is worth coming back, and of which quota."""


class Dialect(msgspec.Struct, frozen=True):
    """A wire format: everything the relay needs to speak it, in either direction."""

    name: str
    parse_request: ParseRequest
    render_request: Callable[[Request, Target], Rendered]
    parse_response: Callable[[Any, Reading], Response]
    render_response: Callable[[Response, Reply], Rendered]
    reader: Callable[[Reading], StreamReader]
    writer: Callable[[Reply], StreamWriter]
    parse_error: ParseError
    render_error: Callable[[PorticoError], Any]
    """The body an error is told in."""
    frame: Callable[[Frame], bytes]
    """A frame as bytes of this dialect's event stream."""
    where: Where
    keep_alive: bytes | None
    """What may be sent between frames to keep a silent connection open; None where clients break on it."""
    ask: Callable[[Any, int], Ask]
    """The sizes of a rendered body, which takes so many bytes on the wire, and what of it changes the price."""
    passing: Passing | None = None
    """How bodies pass to a provider that speaks this dialect too; None: they are read and written anew."""
    state: State | None = None
    """How it speaks of what is kept between calls; None: it knows of no such thing."""
    counting: Counting | None = None
    """How it asks for a count of tokens; None: it does not."""
    embedding: Embedding | None = None
    """How it asks for embeddings; None: it does not."""
    read_body: Callable[[bytes], Any] | None = None
    """A caller's body as the value that `parse_request` takes, where it may be other than JSON. Raises `InvalidRequest`."""
    demands: Demands | None = None
    """What a model must be able to do; None: whatever it can is asked of it."""
    product: Product | None = None
    """What an answer must hold; None: what it holds is the model's to decide."""
    receives: bool = True
    """Requests of other dialects can be rendered in it, so that a provider may be asked in it by anybody."""
    one_answer: bool = False
    """A call has one answer, whatever the model could give: several are asked for one by one."""
    raw_answers: bool = False
    """A whole answer may be other than JSON: one that passes keeps the provider's content type."""
    raw_writer: Callable[[Reply], RawWriter | None] | None = None
    """How a whole answer that is no JSON is told in pieces as it comes; None: this one is not."""
    few_samplings: bool = False
    """It has no words for texts to stop at, seeds and penalties."""
    guards_small_limits: bool = False
    """Callers of this dialect set `max_tokens` without thinking of thoughts (mapping.md 9, first row)."""
