"""Commands on upstream credentials that are kept in the database, encrypted. None of them is ever shown again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import msgspec

from portico.admin.desk import Args, Desk, Nothing, Page, at, at_or_none, says
from portico.core.errors import Conflict, InvalidRequest
from portico.providers import google, stored
from portico.providers.sealed import CannotUnseal
from portico.providers.secret_keys import NoSecretKey, SecretKeys
from portico.wire import jsontext

CredentialId = Annotated[str, says("A credential's id (`cred_…`).", min_length=1, max_length=200)]


class CredentialView(msgspec.Struct, frozen=True, kw_only=True):
    """A credential, without what it hides."""

    id: str
    provider: str
    name: str
    state: Annotated[str, says("`active` or `disabled`.")]
    secret_key_id: Annotated[str, says("Of the secret key that it is encrypted with.")]
    created: datetime
    disabled: datetime | None = None


class Reencrypted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the stored credentials."""

    credentials: int
    secret_key_id: Annotated[str, says("Of the key that all of them are encrypted with now.")]


class AddCredential(Args, frozen=True, kw_only=True):
    provider: Annotated[str, says("Which provider takes it.", min_length=1, max_length=200)]
    value: Annotated[str, says("The credential itself.", min_length=1, max_length=stored.LONGEST)]
    name: Annotated[str, says("What it is called here.", max_length=200)] = ""


class OneCredential(Args, frozen=True, kw_only=True):
    credential: CredentialId


def add(desk: Desk, args: AddCredential) -> CredentialView:
    """Adds an upstream credential, encrypted. Workers use it within a second."""
    if args.provider not in desk.house.providers:
        known = ", ".join(desk.house.providers) or "none"
        raise InvalidRequest(f"There is no provider {args.provider!r} (known: {known}).", param="provider")
    upstream = desk.house.upstreams.get(args.provider)
    if upstream is not None and not upstream.takes_stored:
        raise Conflict(
            f'The provider {args.provider!r} uses no stored credentials: add "database" to its keys in portico.toml,'
            " restart Portico, and then keep this one.",
            param="provider",
        )
    value = args.value
    if google.is_document(value):
        value = _on_one_line(value, desk.house.providers[args.provider])
    keys = _keys(desk)
    with _explained():
        made = stored.add_credential(
            desk.db, keys.ring, provider=args.provider, value=value, name=args.name, rng=desk.rng
        )
    return _view(made)


def _on_one_line(document: str, kind: str) -> str:
    """A JSON document as a credential is kept. Raises `InvalidRequest` for one that its provider could not use."""
    if kind == "vertex" and (fault := google.document_fault(document)) is not None:
        raise InvalidRequest(f"The credential {fault}.", param="value")
    try:
        return jsontext.dumps(jsontext.decode(document.encode()))
    except jsontext.NotJson:
        return document


def list_(desk: Desk, args: Nothing) -> Page[CredentialView]:  # noqa: ARG001
    """Lists upstream credentials, oldest first, all of them."""
    return Page(data=[_view(credential) for credential in stored.list_credentials(desk.db)])


def disable(desk: Desk, args: OneCredential) -> CredentialView:
    """Uses a credential no more, and keeps it."""
    return _view(stored.disable_credential(desk.db, args.credential))


def enable(desk: Desk, args: OneCredential) -> CredentialView:
    """Uses a disabled credential again."""
    return _view(stored.enable_credential(desk.db, args.credential))


def remove(desk: Desk, args: OneCredential) -> CredentialView:
    """Removes a credential for good."""
    return _view(stored.remove_credential(desk.db, args.credential))


def rotate(desk: Desk, args: Nothing) -> Reencrypted:  # noqa: ARG001
    """Encrypts every stored credential anew, with a new secret key."""
    keys = _keys(desk)
    with _explained():
        done = stored.rotate_secrets(desk.db, keys)
    return Reencrypted(credentials=done.credentials, secret_key_id=done.secret_key_id)


def _keys(desk: Desk) -> SecretKeys:
    if desk.house.secret_keys is None:
        raise Conflict("There is no secret key here to encrypt with.")
    return desk.house.secret_keys


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (CannotUnseal, NoSecretKey) as error:
        raise Conflict(str(error)) from None


def _view(credential: stored.Credential) -> CredentialView:
    return CredentialView(
        id=credential.id,
        provider=credential.provider,
        name=credential.name,
        state="active" if credential.disabled_us is None else "disabled",
        secret_key_id=credential.secret_key_id,
        created=at(credential.created_us),
        disabled=at_or_none(credential.disabled_us),
    )
