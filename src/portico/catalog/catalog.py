"""The models Portico knows, found by every name that people use for them."""

import difflib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Self

import msgspec

from portico.catalog.errors import CatalogError
from portico.catalog.infer import OPEN_KINDS, Inference
from portico.catalog.model import Description, ListedModel, Model, ModelKind, ModelTarget, OperatorModel, Resolved
from portico.catalog.names import check_name, find
from portico.core.errors import ModelNotFound
from portico.core.target import Capabilities

_EPOCH = date(1970, 1, 1)
_SEARCHING = ("-search", ":online")
"""Ends of a name that ask for a search of the web (mapping.md 1.14)."""
_HINT_LENGTH = 100
"""Longer names get no hint: comparing them costs more than a mistyped name is worth."""


class Catalog:
    """An immutable set of models. Extending it makes another."""

    def __init__(self, models: Iterable[Model], inference: Inference, vendor_tools: Mapping[str, bool]) -> None:
        self.models: dict[str, Model] = {model.name: model for model in models}
        self.tool_input_billed = vendor_tools
        """By built-in tool, whether the tokens it brings in are billed as input (mapping.md 2.9, Billing)."""
        self._inference = inference
        aliases = {alias: model for model in self.models.values() for alias in model.aliases}
        self._names: dict[str, Model] = self.models | aliases
        self._folded = {name.casefold(): model for name, model in self._names.items()}

    def resolve(self, name: str) -> Resolved:
        """The model a name stands for, by the rules of mapping.md 1.8. Raises ModelNotFound.

        Names match exactly; only if nothing does is the case of letters disregarded.
        """
        for form, search in (
            (name, False),
            *[(name.removesuffix(end), True) for end in _SEARCHING if name.endswith(end)],
        ):
            found = find(form, self._names) or find(form.casefold(), self._folded)
            if found is not None:
                return Resolved(found[0], name, found[1], search)
        raise ModelNotFound(self._not_found(name), param="model")

    def known(self, name: str) -> Model | None:
        """The model a name stands for, its suffixes disregarded; None if there is none."""
        found = find(name, self._names) or find(name.casefold(), self._folded)
        return None if found is None else found[0]

    def capabilities_for(self, name: str, provider_kind: str = "gemini") -> Capabilities:
        """What the model of that name can do; for one that is not in the catalog, what its name suggests. Never raises."""
        if (model := self.known(name)) is not None:
            return model.capabilities_at(provider_kind)
        return self._inference.capabilities(name, provider_kind)

    def successor_of(
        self, model: Model, today: date, *, provider_kind: str | None = None, gone: bool = False
    ) -> Model | None:
        """The model a call for `model` goes to instead; None if it is still served or nothing follows it.

        It is passed on when `model` is retired, when its shutdown date has come at that kind of provider (without one: at
        every backend), or when the caller knows that it is `gone`: the provider answered 404. A successor that has a
        successor is followed too.
        """
        current = model
        while gone or current.is_gone(today, provider_kind):
            if current.successor is None:
                break
            current, gone = self.models[current.successor], False
        return None if current is model else current

    def with_models(self, entries: Iterable[OperatorModel]) -> Self:
        """This catalog and an operator's own names; a name that exists already, also as an alias, is overridden.

        An entry takes over everything known of its upstream model. Several entries of one name are several targets.
        Raises CatalogError.
        """
        added: dict[str, Model] = {}
        for entry in entries:
            where = f"models.{entry.name}"
            check_name(entry.name, f"{where}.name")
            provider, slash, upstream_model = entry.target.partition("/")
            if not (provider and slash and upstream_model):
                raise CatalogError(f"{where}.target", f"expected 'provider/upstream-model', found {entry.target!r}")
            target = ModelTarget(provider, upstream_model)
            if (known := added.get(entry.name)) is not None:
                added[entry.name] = msgspec.structs.replace(known, targets=(*known.targets, target))
            else:
                added[entry.name] = self._named(entry.name, target)
        kept = (
            msgspec.structs.replace(model, aliases=tuple(alias for alias in model.aliases if alias not in added))
            for name, model in self.models.items()
            if name not in added
        )
        return type(self)([*kept, *added.values()], self._inference, self.tool_input_billed)

    def listing(self, *, today: date | None = None) -> list[ListedModel]:
        """Every name worth showing: models, their aliases, and `-thinking`/`-nothinking` of models that can be steered.

        With a day given, models that nobody serves any more and nothing replaces are left out. Every other suffix and
        spelling resolves too but is not listed.
        """
        rows: list[ListedModel] = []
        for model in self.models.values():
            if today is not None and model.is_gone(today) and model.successor is None:
                continue
            rows.append(_listed(model, model.name))
            rows += [_listed(model, alias, base=model.name) for alias in model.aliases]
            if model.thinking_can_be_steered:
                rows += [
                    _listed(model, variant, base=model.name)
                    for suffix in ("-thinking", "-nothinking")
                    if (variant := model.name + suffix) not in self._names
                ]
        return rows

    def _named(self, name: str, target: ModelTarget) -> Model:
        """An operator's model: its upstream model under another name, or one of which only the name is known."""
        found = find(target.upstream_model, self._names)
        if found is not None:
            return msgspec.structs.replace(
                found[0], name=name, targets=(target,), aliases=(), retired=False, shutdown={}
            )
        line = f"{target.upstream_model} at {target.provider}"
        return Model(
            name=name,
            title=name,
            kind=ModelKind.CHAT,
            vendor=target.provider,
            owned_by=target.provider,
            description=Description(line, line, line),
            capabilities=self._inference.capabilities(target.upstream_model),
            backend_capabilities={
                kind: self._inference.capabilities(target.upstream_model, kind) for kind in (*OPEN_KINDS, "vertex")
            },
            source="operator",
            as_of=date.min,
            targets=(target,),
        )

    def _not_found(self, name: str) -> str:
        shown = repr(name if len(name) <= _HINT_LENGTH else name[:_HINT_LENGTH] + "…")
        message = f"The model {shown} does not exist or you do not have access to it."
        if len(name) <= _HINT_LENGTH:
            near = difflib.get_close_matches(name.casefold(), self._folded, n=3)
            names = {known.casefold(): known for known in self._names}
            if near:
                message += f" Did you mean {' or '.join(names[key] for key in near)}?"
        return message


def _listed(model: Model, name: str, *, base: str | None = None) -> ListedModel:
    known_since = model.created or max(model.as_of, _EPOCH)
    return ListedModel(
        id=name,
        created=(known_since - _EPOCH).days * 86_400,
        owned_by=model.owned_by,
        kind=model.kind,
        context_length=model.capabilities.max_input_tokens,
        max_output=model.capabilities.max_output_tokens,
        input_modalities=_ordered(model.capabilities.input_modalities),
        output_modalities=_ordered(model.capabilities.output_modalities),
        description=model.description,
        base=base,
    )


def _ordered(modalities: frozenset[str]) -> tuple[str, ...]:
    """Text first, as people read them."""
    order = ("text", "image", "audio", "video", "document")
    return tuple(sorted(modalities, key=lambda word: (order.index(word) if word in order else len(order), word)))
