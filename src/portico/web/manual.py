"""The pages of the reference as Markdown, written of its data: one for each operation, and the table of all of them.

They are templates as all written pages are (`book.py`), so a sample or an answer is named here and put in there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from portico.web import reference
from portico.web.addresses import Locale
from portico.web.reference import FORM, Field, Operation
from portico.web.words import Say, whole

_COLUMNS: Final = ("Name", "Type", "Bounds, default", "Meaning")
_PLURALS: Final[Mapping[str, str]] = {
    "string": "strings",
    "number": "numbers",
    "object": "objects",
    "file": "files",
}
_DIALECTS: Final[Mapping[str, str]] = {
    "openai": "An error is told as OpenAI tells it.",
    "anthropic": "An error is told as Anthropic tells it.",
    "google": "An error is told as Google tells it.",
    "any": "An error is told in the dialect of who asks.",
}


def index(locale: str) -> str:
    """The table of all operations of each tag, under its title."""
    to = Locale(locale)
    say = Say(to, markup=False)
    told: list[str] = []
    for tag in reference.shared().tag:
        told += [f"## {tag.told(to)} {{#{tag.id}}}", ""]
        rows = [
            (f"`{one.method}`", f"`{one.path}`", f"[{one.title.told(to)}]({one.page})") for one in reference.of_tag(tag)
        ]
        told += [*_table((say("Method"), say("Address"), say("Operation")), rows), ""]
    return "\n".join(told).rstrip()


def body(one: Operation, locale: Locale, titles: Mapping[str, str], *, answered: bool) -> str:
    """The page of an operation. `titles`: of the other pages; `answered`: whether there is an answer to its sample."""
    return _Page(one, locale, titles).told(answered=answered)


class _Page:
    def __init__(self, one: Operation, locale: Locale, titles: Mapping[str, str]) -> None:
        self._one = one
        self._locale = locale
        self._titles = titles
        self._say = Say(locale, markup=False)

    def told(self, *, answered: bool) -> str:
        parts = [
            *self._opening(),
            *self._fields("address", "In the address", self._one.address),
            *self._fields("query", "Query", self._one.query),
            *self._body(),
            *self._headers(),
            *self._answer(answered=answered),
            *self._errors(),
            *self._related(),
        ]
        return "\n\n".join(parts) + "\n"

    def _opening(self) -> Iterable[str]:
        one, say = self._one, self._say
        yield f"`{one.method}` `{{{{ base_url }}}}{one.path}`"
        if one.about is not None:
            yield one.about.told(self._locale)
        if one.also:
            yield say("Also at %(addresses)s.", addresses=self._listed([f"`{path}`" for path in one.also]))
        yield f'{{{{ sample("{one.sample}") }}}}' if one.sample else _call(one)

    def _body(self) -> Iterable[str]:
        one, say = self._one, self._say
        if not one.has_body:
            return
        yield f"## {say('Body')} {{#body}}"
        if one.media[0] == FORM:
            yield say("A form, `multipart/form-data`.") if len(one.media) == 1 else say("A form, or JSON.")
        if one.body_like:
            links = [self._link(reference.by_id()[name].page) for name in one.body_like]
            yield say("The same as of %(operations)s.", operations=self._listed(links))
        if one.body:
            yield self._table(one.body)

    def _fields(self, id_: str, title: str, fields: Sequence[Field]) -> Iterable[str]:
        if fields:
            yield f"## {self._say(title)} {{#{id_}}}"
            yield self._table(fields)

    def _headers(self) -> Iterable[str]:
        say, fields = self._say, reference.request_headers(self._one)
        yield f"## {say('Headers')} {{#headers}}"
        if self._one.keyless:
            yield say("A [key](/docs/authentication#send) to begin with; the address for the pieces opens without.")
        else:
            yield say("Your [key](/docs/authentication#send), in any of its four places.")
        if fields:
            yield self._table(fields)

    def _answer(self, *, answered: bool) -> Iterable[str]:
        one, say = self._one, self._say
        yield f"## {say('Answer')} {{#answer}}"
        yield self._joined(one.says.told(self._locale), self._media(one.answer_media))
        if one.answer_like:
            link = self._link(f"{reference.by_id()[one.answer_like].page}#answer")
            yield say("Its fields are those of %(operation)s.", operation=link)
        if one.answer:
            yield self._answer_table(one.answer)
        if answered:
            yield say("This is what Portico's simulator answered:")
            yield f'{{{{ answer("{one.sample}") }}}}'
        if one.stream is not None:
            yield f"### {say('Stream')} {{#stream}}"
            yield one.stream.told(self._locale)
        yield f"### {say('Headers of the answer')} {{#answer-headers}}"
        yield self._answer_table(reference.answer_headers(one))

    def _media(self, media: Sequence[str]) -> str:
        return self._say("Comes as %(types)s.", types=self._listed([f"`{one}`" for one in media]))

    def _errors(self) -> Iterable[str]:
        say = self._say
        yield f"## {say('Errors')} {{#errors}}"
        yield self._joined(say(_DIALECTS[self._one.shape]), say("None that comes instead of an answer is charged."))
        rows = [
            (f"[`{error.code}`](/docs/errors#{error.code})", str(error.status), error.told(self._locale))
            for error in reference.errors(self._one)
        ]
        yield "\n".join(_table((say("Error code"), say("HTTP status"), say("Meaning")), rows))

    def _related(self) -> Iterable[str]:
        links = [self._link(path) for path in (*self._one.pages, "/docs/errors", reference.PREFIX)]
        yield f"## {self._say('Related')} {{#related}}"
        yield self._listed(links)

    # -- tables

    def _table(self, fields: Iterable[Field]) -> str:
        rows = [(f"`{one.name}`", self._type(one), self._bounds(one), one.told(self._locale)) for one in fields]
        return "\n".join(_table([self._say(title) for title in _COLUMNS], rows))

    def _answer_table(self, fields: Iterable[Field]) -> str:
        rows = [(f"`{one.name}`", self._type(one), self._meaning(one)) for one in fields]
        return "\n".join(_table([self._say(title) for title in ("Name", "Type", "Meaning")], rows))

    def _meaning(self, one: Field) -> str:
        """What it means, and which words it may be as far as that does not say them."""
        told = one.told(self._locale)
        others = [f"`{word}`" for word in one.words if f"`{word}`" not in told]
        return self._joined(told, self._listed(others)) if others else told

    def _type(self, one: Field) -> str:
        return self._say(" or ").join([self._word(one, kind) for kind in one.types])

    def _word(self, one: Field, kind: str) -> str:
        plural = _PLURALS.get(one.items or "") if kind == "array" else None
        return self._say(kind if plural is None else f"array of {plural}")

    def _bounds(self, one: Field) -> str:
        say = self._say
        told = [say("required")] if one.required else []
        if one.words:
            told.append(self._listed([f"`{word}`" for word in one.words]))
        if one.least is not None and one.most is not None:
            told.append(say("%(least)s to %(most)s", least=_number(one.least), most=_number(one.most)))
        elif one.least is not None:
            told.append(say("from %(least)s", least=_number(one.least)))
        if one.length is not None:
            told.append(say("%(least)s to %(most)s characters", least=one.length[0], most=whole(one.length[1])))
        if one.count is not None:
            told.append(say("%(least)s to %(most)s entries", least=one.count[0], most=whole(one.count[1])))
        if one.format in ("date", "int64"):
            told.append(say("a day, such as `2026-01-31`") if one.format == "date" else say("64 bits"))
        if one.default is not None:
            told.append(say("default %(value)s", value=f"`{_default(one.default)}`"))
        return say("; ").join(told)

    # -- words

    def _listed(self, texts: Sequence[str]) -> str:
        return self._say(", ").join(texts)

    def _joined(self, *sentences: str) -> str:
        """Sentences behind each other: a full stop of full width needs no space."""
        return (" " if self._locale is Locale.EN else "").join(sentences)

    def _link(self, path: str) -> str:
        page = path.partition("#")[0]
        operation = reference.by_id().get(page.removeprefix(f"{reference.PREFIX}/"))
        title = self._titles[page] if operation is None else operation.title.told(self._locale)
        return f"[{title}]({path})"


def _call(one: Operation) -> str:
    """How an operation is called that no sample can show, since the simulator has nothing for it."""
    url = f"{{{{ base_url }}}}{one.path}"
    return f'```console\n$ curl -o file "{url}" -H "Authorization: Bearer $PORTICO_API_KEY"\n```'


def _number(bound: float) -> str:
    told = whole(int(bound)) if float(bound).is_integer() else str(bound)
    return told.replace("-", "−")


def _default(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        _row(head),
        _row(["---"] * len(head)),
        *[_row([cell.replace("|", "\\|") for cell in row]) for row in rows],
    ]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
