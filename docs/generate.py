"""Writes the pages of these docs that are made of the code's own tables: `make docs`. `make test` checks them.

python docs/generate.py            writes them
python docs/generate.py --check    says which are out of step
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from portico.catalog import Model, load_catalog
from portico.core import mime, voices
from portico.core.loss import CODES, UNSEEN
from portico.core.request import GOOGLE_BUILTINS
from portico.core.response import FinishReason
from portico.core.target import ThinkingControl, ThinkingSpec
from portico.dialects.anthropic_messages.words import SERVER_TOOLS, STOP_REASON
from portico.dialects.gemini.finish import FINISH, WIRE
from portico.dialects.gemini.schema_rules import UNENFORCED
from portico.dialects.openai_chat.finish import FINISH_WORDS
from portico.dialects.openai_chat.tools import BUILTIN_KINDS
from portico.dialects.openai_responses.around import DETAILS, STATUS
from portico.dialects.openai_responses.tools import BUILTIN_KINDS as OPENAI_TOOLS
from portico.providers.intake import ANTHROPIC, GOOGLE, MIB, OPENAI

FOLDER: Final = Path(__file__).parent
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

HEAD: Final = ("", "Chat Completions", "Responses", "Messages", "Gemini")
REQUEST: Final = (
    ("asked at", "`/v1/chat/completions`", "`/v1/responses`", "`/v1/messages`", "`/v1beta/models/…:generateContent`"),
    (
        "instructions",
        "`system` and `developer` messages, anywhere",
        "`instructions`, items of both roles",
        "`system`; `system` messages in the middle",
        "`systemInstruction`",
    ),
    ("turns", "`messages`", "`input`", "`messages`", "`contents`"),
    ("text", "`text`", "`input_text`, `output_text`", "`text`", "`text`"),
    (
        "pictures, PDFs, files",
        "`image_url`, `file`",
        "`input_image`, `input_file`",
        "`image`, `document`",
        "`inlineData`, `fileData`",
    ),
    ("sound, video", "`input_audio`, `video_url`", "`input_audio`", "", "`inlineData`, `fileData`"),
    ("calls", "`tool_calls`", "`function_call`, `custom_tool_call`", "`tool_use`", "`functionCall`"),
    (
        "results",
        "`tool` messages",
        "`function_call_output`, `custom_tool_call_output`",
        "`tool_result`",
        "`functionResponse`",
    ),
    (
        "thoughts given back",
        "kept by the gateway; `extra_content`",
        "`reasoning` with `encrypted_content`",
        "`thinking`, `redacted_thinking`",
        "`thoughtSignature`",
    ),
    (
        "tools",
        "`function`, `custom`, `functions`",
        "`function`, `custom`, `namespace`; items of `additional_tools`",
        "with `input_schema`",
        "`functionDeclarations`",
    ),
    (
        "strict tools",
        "`strict`; not where nothing is said",
        "`strict`; where nothing is said, if the schema can be",
        "`strict`",
        "the mode `VALIDATED`, of all",
    ),
    (
        "which to call",
        "`tool_choice`, `parallel_tool_calls`",
        "`tool_choice`, `parallel_tool_calls`",
        "`tool_choice`, `disable_parallel_tool_use`",
        "`functionCallingConfig`",
    ),
    (
        "form of the answer",
        "`response_format`",
        "`text.format`",
        "`output_config.format`",
        "`responseJsonSchema`, `responseSchema`, `responseMimeType`",
    ),
    (
        "thinking",
        "`reasoning_effort`, `reasoning`, `thinking`",
        "`reasoning.effort`, `reasoning.summary`",
        "`thinking`, `output_config.effort`, also of a `system` message",
        "`thinkingConfig`",
    ),
    (
        "the longest answer",
        "`max_completion_tokens`, `max_tokens`",
        "`max_output_tokens`",
        "`max_tokens`",
        "`maxOutputTokens`",
    ),
    (
        "how tokens are drawn",
        "`temperature`, `top_p`, `top_k`, `seed`, penalties, `logprobs`, `stop`",
        "`temperature`, `top_p`, `top_logprobs`",
        "`temperature`, `top_p`, `top_k`, `stop_sequences`",
        "all of them",
    ),
    (
        "an answer that is begun",
        "a last `assistant` message",
        "a last item of the assistant's",
        "a last `assistant` message",
        "a last `model` content",
    ),
    ("several answers", "`n`", "", "", "`candidateCount`"),
    ("going on from an answer", "", "`previous_response_id`, `item_reference`", "", ""),
    ("service tier", "`service_tier`", "`service_tier`", "`service_tier`", "`serviceTier`"),
    ("how many tokens it has", "", "`/v1/responses/input_tokens`", "`/v1/messages/count_tokens`", "`:countTokens`"),
)
ANSWER: Final = (
    ("text", "`content`", "`message` items", "`text`", "`text`"),
    ("thoughts, if asked for", "`reasoning_content`", "`reasoning` items", "`thinking`", "`thought` parts"),
    ("calls", "`tool_calls`", "`function_call`, `custom_tool_call`", "`tool_use`", "`functionCall`"),
    (
        "sources",
        "`annotations`, in characters",
        "`annotations`, in characters",
        "`citations` of text blocks",
        "`groundingMetadata`, in bytes",
    ),
    ("how it ended", "`finish_reason`", "`status`, `incomplete_details`", "`stop_reason`", "`finishReason`"),
    (
        "input, output",
        "`prompt_tokens`, `completion_tokens`",
        "`input_tokens`, `output_tokens`",
        "`input_tokens`, `output_tokens`",
        "`promptTokenCount`, `candidatesTokenCount`",
    ),
    (
        "read from a cache",
        "`cached_tokens`, part of the input",
        "`cached_tokens`, part of the input",
        "`cache_read_input_tokens`, beside the input",
        "`cachedContentTokenCount`, part of the prompt",
    ),
    (
        "tokens of thoughts",
        "`reasoning_tokens`, part of the output",
        "`reasoning_tokens`, part of the output",
        "`thinking_tokens`, part of the output",
        "`thoughtsTokenCount`, beside the candidates",
    ),
    (
        "a stream",
        "chunks, then `[DONE]`",
        "numbered events, `response.completed` last",
        "`message_start` … `message_stop`",
        "answers in pieces, as events or one array",
    ),
    ("an error", "`error`", "`error`", '`type: "error"`', "`error` with Google's `status`"),
)
CARRIED: Final = (
    ("system and developer messages, wherever they stand", "`systemInstruction`, one part each, in order"),
    ("user and assistant messages", "`contents`; neighbours of one role are one content, their parts never joined"),
    ("`tool` messages", "one content of `functionResponse` parts, in the order of the calls"),
    ("`web_search_options` and other built-in tools", "`googleSearch`, `codeExecution`, `urlContext`"),
    ("`n`", "`candidateCount`, or as many calls as it takes"),
    ("`logprobs`, `top_logprobs`", "`responseLogprobs`, `logprobs`"),
    ("`modalities`, `audio`, `image_config`", "`responseModalities`, `speechConfig`, `imageConfig`"),
    ("`extra_body.google`, in any nesting and spelling", "Google's own fields, by an allow-list"),
    ("`extra_content.google.thought_signature`, or nothing at all", "`thoughtSignature`, from what the gateway kept"),
)
ANSWERED: Final = (
    ("thought parts, if asked for", "`reasoning_content`; `reasoning_details` too for who sent `reasoning`"),
    ("`functionCall`", "`tool_calls`, each with an id of the gateway's own and a running index"),
    ("pictures", "Markdown in `content`, `message.images`, or parts of `content` (`x-portico-image-form`)"),
    ("audio", "`message.audio`: WAV or PCM"),
    ("`executableCode`, `toolCall` and other parts of Google's own", "`extra_content.google.parts`"),
    ("`groundingMetadata`, `citationMetadata`", "`annotations`, in characters; raw in `extra_content.google`"),
    ("`webSearchQueries`", "`extra_content.google.web_search_queries`, counted in `usage.server_tool_use`"),
    ("`finishReason`", "`finish_reason`, the raw word in `native_finish_reason`"),
    ("`promptFeedback.blockReason`", "a `refusal` and `finish_reason: content_filter`"),
    ("`usageMetadata`", "`usage`: thoughts are output, tools' tokens are input, cached tokens are part of the prompt"),
)
ENDS: Final = {
    FinishReason.STOP: "the model was done",
    FinishReason.TOOL_CALLS: "it calls",
    FinishReason.LENGTH: "a limit",
    FinishReason.CONTENT_FILTER: "a filter, or a refusal",
    FinishReason.OTHER: "anything else",
}
INTAKES: Final = (
    ("Gemini API, Vertex AI", GOOGLE, "its own files, `gs://`, YouTube"),
    ("OpenAI, Azure", OPENAI, "pictures"),
    ("Anthropic", ANTHROPIC, "pictures, PDFs"),
)


def main() -> int:
    stale = []
    for name, text in PAGES.items():
        page = FOLDER / name
        if "--check" not in sys.argv:
            page.write_text(text, encoding="utf-8")
        elif not page.exists() or page.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        sys.stdout.write(f"out of step: {', '.join(stale)}; run `make docs`\n")
    return 1 if stale else 0


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *[[cell.replace("|", "\\|") for cell in row] for row in rows]]
    return "\n".join(["| " + " | ".join(line) + " |" for line in lines])


def translation() -> str:
    """What is carried between the dialects, what is not, and why."""
    codes = [
        (f"`{code}`", excuse.says, "" if code in UNSEEN else "yes")
        for code, excuse in sorted(CODES.items(), key=_order)
    ]
    return f"""# What is carried, and what is not

<!-- Made by docs/generate.py of the code's own tables; `make docs` makes it anew. -->

A call is read into one neutral model and written out in the provider's words; its answer comes back the same way. Nothing
is dropped in silence: what the other side has no words for is a **loss**, told with the path in your own body in the
`x-portico-changes` header, before the first byte of a stream too. `x-portico-strict: true` turns losses of the request
into a 400 before anything is sent. `portico translate` prints both bodies and the losses without a call.

Who speaks the provider's own dialect loses nothing: the bytes pass, both ways, fields of tomorrow with them. Changed
are the model's name, where yours is not the provider's, the ids of what Portico keeps for you, and
`stream_options.include_usage` of a Chat stream, whose last event is kept back if you did not ask for it.

One kind of body is said anew all the same, and what that costs is told: one that the catalog knows its model would refuse,
as agents and frameworks send it to every model. An effort (of a request or of a turn) or a form of thinking that the
model has not, a temperature where it takes none, `max_tokens`, penalties and stop sequences to a GPT that reasons, a
`system` message in the middle, a tool that must be called, the long id of another vendor's call, an unsealed thought.

## Four dialects

Whatever stands in one row says the same, and is carried from each column to each other. An empty field: that dialect
has no word for it.

{table(HEAD, REQUEST)}

The answer, on its way back:

{table(HEAD, ANSWER)}

Thoughts that a provider sealed (signatures, `encrypted_content`) are good for that provider alone. Callers of another
dialect get them in an envelope, where their dialect has a place for one, and the gateway keeps them besides:
whichever model answers next is given its own, and never another's. A thought without a seal, as Gemini's before an answer
in words, goes to neither GPT nor Claude, which refuse it, and is told as `7.4:thoughts`: an id alone names none, for
the gateway has OpenAI keep nothing.

An answer that the caller begins is the last turn everywhere. Gemini and older Claudes go on from it, though a model that
thinks may begin anew; what a GPT makes of it is written nowhere. A Claude that refuses such a turn, always or while it
thinks, is asked to continue: that is told as `7.5:prefill`, and so is white space at the end, which no Claude takes.

## Chat and Gemini

{table(("Chat Completions", "Gemini"), CARRIED)}

{table(("Gemini", "Chat Completions"), ANSWERED)}

What no field of Chat can hold (the order of parts, signatures, the provider's call ids, its tools' own parts) is kept by
the gateway, found again by tool-call id or text, and put back into the next request where it was.

## Losses

{table(("code", "what it says", "when strict"), codes)}

The number before the colon is a section of the sheet that the translation was built from; it orders them, no more.

## How an answer ended

{table(("", *HEAD[1:]), _ends())}

Google has more words than others:

{table(("Gemini", "`finish_reason`"), _finishes())}

With a tool call among the parts `STOP` is `tool_calls`. An answer with nothing in it and no reason given is tried once
more, unseen, and then is an error: never an unexplained empty `stop`.

## Thinking

What each effort asks of a model: a level, or a budget in tokens.

{table(("model", *EFFORTS, "unasked"), _thinking())}

Up to 2,048 `max_tokens` an effort that was not asked for is the least the model offers, since thoughts count inside
the limit (`[defaults] small_max_tokens`); not for Gemini's own callers, nor where the bytes pass.

## Media

{table(("provider", "takes inline", "at most", "fetches itself"), _intakes())}

What a provider does not take is made to fit: for Google a GIF becomes a PNG of its first frame; SVG, JSON, YAML, code
and other text goes as text under the file's name. A type that was not declared is found out by the file's name, else
by its first bytes. Addresses that the provider does not fetch are fetched by the gateway, never from private networks
unless `[media] allow` names them.

{table(("declared as", "sent as"), [(f"`{alias}`", f"`{name}`") for alias, name in sorted(mime.ALIASES.items())])}

## Built-in tools

{table(("asked for as", "Google's tool", "OpenAI's tool", "Anthropic's tool"), _builtins())}

OpenAI's and Anthropic's other tools (`file_search`, `computer`, `tool_search`, `mcp` …) are their own: elsewhere they
are left out, which is told as `7.1:builtin`. Those of the table may carry the date that a vendor puts behind it
(`web_search_20250305`); a bare function of Google's name (`googleSearch`), `extra_body.google.tools`, and `-search`
or `:online` behind a model's name work too.

## Schemas

JSON Schema goes as it is (`parametersJsonSchema`, `responseJsonSchema`); models that take only the older OpenAPI subset
get it lowered by position, never by key name. Google enforces nothing of
{", ".join(f"`{name}`" for name in sorted(UNENFORCED))}: each that could matter is a loss with its path.

## Voices

{table(("OpenAI's", "Gemini's"), [(f"`{name}`", f"`{voice}`") for name, voice in sorted(voices.OPENAI.items())])}

Gemini's own names work in any case of letters: {", ".join(voices.GOOGLE)}.
"""


def _strictly(code: str) -> str:
    """What a strict call makes of a loss; what the answer loses is told, but has been made by then."""
    if code in UNSEEN:
        return "ignored"
    if code == "9:small_max_tokens":
        return "not made"
    of_answer = code.startswith("2.") and code not in ("2.4:skip_signature", "2.4:foreign_signature")
    return "told" if of_answer else "refused"


def _order(item: tuple[str, object]) -> tuple[list[int], str]:
    section, _, name = item[0].partition(":")
    return [int(number) for number in section.split(".")], name


def _finishes() -> Iterator[tuple[str, str]]:
    for word, reason in FINISH.items():
        told = (
            "an error; `stop` if something was told already" if str(reason) == "error" else f"`{FINISH_WORDS[reason]}`"
        )
        yield f"`{word}`", told
    yield "any other word", "`stop`"


def _unasked(spec: ThinkingSpec) -> str:
    """What is in force when nothing is said."""
    return (spec.default or "") if spec.on_by_default else "none" if "none" in spec.levels else "off"


def _thinking() -> Iterator[tuple[str, ...]]:
    for model in sorted(load_catalog().models.values(), key=lambda model: model.name):
        if model.capabilities.thinking.control is not ThinkingControl.NONE:
            yield (
                f"`{model.name}`",
                *[_effort(model, effort) for effort in EFFORTS],
                _unasked(model.capabilities.thinking),
            )


def _effort(model: Model, effort: str) -> str:
    return str(model.capabilities.thinking.effort.get(effort, ""))


def _builtins() -> Iterator[tuple[str, ...]]:
    google = {kind: wire for wire, kind in GOOGLE_BUILTINS.items()}
    openai = {kind: wire for wire, kind in OPENAI_TOOLS.items()}
    for name, kind in {"web_search_options": "web_search", **BUILTIN_KINDS}.items():
        said = google[kind], openai.get(kind), SERVER_TOOLS[kind]["type"]
        yield f"`{name}`", *[f"`{word}`" if word else "" for word in said]


def _ends() -> Iterator[tuple[str, ...]]:
    for reason, says in ENDS.items():
        details = f" ({DETAILS[reason]})" if reason in DETAILS else ""
        said = FINISH_WORDS[reason], f"{STATUS[reason]}{details}", STOP_REASON[reason], WIRE[reason]
        yield says, *[f"`{word}`" for word in said]


def _intakes() -> Iterator[tuple[str, ...]]:
    for provider, intake, fetched in INTAKES:
        types = [f"`{name}`" for name in (*sorted(intake.types), *[f"{family}*" for family in intake.families])]
        each = "" if intake.max_picture_bytes is None else f", {intake.max_picture_bytes // MIB} MiB a picture"
        yield provider, ", ".join(types), f"{intake.max_inline_bytes // MIB} MiB{each}", fetched


PAGES: Final = {"translation.md": translation()}

if __name__ == "__main__":
    sys.exit(main())
