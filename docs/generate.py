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
from portico.core.target import ThinkingControl, ThinkingSpec
from portico.dialects.gemini.finish import FINISH
from portico.dialects.gemini.schema_rules import UNENFORCED
from portico.dialects.openai_chat.response import FINISH_WORDS
from portico.dialects.openai_chat.tools import BUILTIN_KINDS
from portico.providers.intake import GOOGLE, MIB

FOLDER: Final = Path(__file__).parent
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

CARRIED: Final = (
    ("system and developer messages, wherever they stand", "`systemInstruction`, one part each, in order"),
    ("user and assistant messages", "`contents`; neighbours of one role are one content, their parts never joined"),
    ("`tool` messages", "one content of `functionResponse` parts, in the order of the calls"),
    ("text, pictures, PDFs, audio, video; data URI, address or file id", "`text`, `inlineData`, `fileData`"),
    ("`tools`, `tool_choice`, `functions`, custom tools", "`functionDeclarations`, `functionCallingConfig`"),
    ("`web_search_options` and other built-in tools", "`googleSearch`, `codeExecution`, `urlContext`"),
    ("`response_format`", "`responseMimeType`, `responseJsonSchema`"),
    ("`reasoning_effort`, `reasoning`, `thinking`", "`thinkingConfig`"),
    ("`n`", "`candidateCount`, or as many calls as it takes"),
    ("`logprobs`, `top_logprobs`", "`responseLogprobs`, `logprobs`"),
    ("`modalities`, `audio`, `image_config`", "`responseModalities`, `speechConfig`, `imageConfig`"),
    ("`extra_body.google`, in any nesting and spelling", "Google's own fields, by an allow-list"),
    ("`service_tier`", "`serviceTier`"),
    ("`extra_content.google.thought_signature`, or nothing at all", "`thoughtSignature`, from what the gateway kept"),
)
ANSWERED: Final = (
    ("text parts", "`content`"),
    ("thought parts, if asked for", "`reasoning_content`; `reasoning_details` too for who sent `reasoning`"),
    ("`functionCall`", "`tool_calls`, each with an id of the gateway's own and a running index"),
    ("pictures", "Markdown in `content`, `message.images`, or parts of `content` (`x-portico-image-form`)"),
    ("audio", "`message.audio`: WAV or PCM"),
    ("`executableCode`, `toolCall` and other parts of Google's own", "`extra_content.google.parts`"),
    ("`groundingMetadata`, `citationMetadata`", "`annotations`, in characters; raw in `extra_content.google`"),
    ("`webSearchQueries`", "`extra_content.google.web_search_queries`, counted in `usage.server_tool_use`"),
    ("`logprobsResult`", "`logprobs`"),
    ("`finishReason`", "`finish_reason`, the raw word in `native_finish_reason`"),
    ("`promptFeedback.blockReason`", "a `refusal` and `finish_reason: content_filter`"),
    ("`usageMetadata`", "`usage`: thoughts are output, tools' tokens are input, cached tokens are part of the prompt"),
)  # fmt: skip


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
    """What is carried between Chat and Gemini, what is not, and why."""
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

Who speaks the provider's own dialect (a Gemini client on a Gemini provider) loses nothing: the bytes pass.

## A request

{table(("Chat Completions", "Gemini"), CARRIED)}

## An answer

{table(("Gemini", "Chat Completions"), ANSWERED)}

What no field of Chat can hold (the order of parts, signatures, the provider's call ids, its tools' own parts) is kept by
the gateway, found again by tool-call id or text, and put back into the next request where it was.

## Losses

{table(("code", "what it says", "when strict"), codes)}

The number before the colon is a section of the sheet that the translation was built from; it orders them, no more.

## How an answer ended

{table(("Gemini", "`finish_reason`"), _finishes())}

With a tool call among the parts `STOP` is `tool_calls`. An answer with nothing in it and no reason given is tried once
more, unseen, and then is an error: never an unexplained empty `stop`.

## Thinking

What each effort asks of a model: a level, or a budget in tokens.

{table(("model", *EFFORTS, "unasked"), _thinking())}

Up to 2,048 `max_tokens` an effort that was not asked for is the least the model offers, since thoughts count inside
the limit (`[defaults] small_max_tokens`).

## Media

Inline: {", ".join(f"`{name}`" for name in sorted(GOOGLE.types))}, and whatever begins with
{" or ".join(f"`{name}`" for name in GOOGLE.families)}; {GOOGLE.max_inline_bytes // MIB} MiB in all. A GIF becomes a PNG of
its first frame; SVG, JSON, YAML, code and other text goes as text under the file's name. A type that was not declared is
found out by the file's name, else by its first bytes. Addresses are fetched by the gateway, never from private networks
unless `[media] allow` names them; Google's own files, `gs://` and YouTube stay addresses.

{table(("declared as", "sent as"), [(f"`{alias}`", f"`{name}`") for alias, name in sorted(mime.ALIASES.items())])}

## Built-in tools

{table(("asked for as", "Google's tool"), _builtins())}

Any of them may carry the date that a vendor puts behind it (`web_search_20250305`); a bare function of Google's name
(`googleSearch`), `extra_body.google.tools`, and `-search` or `:online` behind a model's name work too.

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


def _builtins() -> Iterator[tuple[str, str]]:
    google = {kind: wire for wire, kind in GOOGLE_BUILTINS.items()}
    yield "`web_search_options`", "`googleSearch`"
    for name, kind in BUILTIN_KINDS.items():
        yield f"`{name}`", f"`{google[kind]}`"


PAGES: Final = {"translation.md": translation()}

if __name__ == "__main__":
    sys.exit(main())
