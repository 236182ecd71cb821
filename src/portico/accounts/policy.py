"""What a key may do, and how it is served: scopes, limits, budgets, addresses, settings.

A policy is set by an administrator as JSON and is refused whole if anything in it is unknown or makes no sense, with the
name of the field: a limit that is accepted and not kept would be worse than none (complaint 14). What was once stored is
read with the same care, and a policy that cannot be read opens nothing.
"""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final, TypeAlias

import msgspec

from portico.catalog.thinking import EFFORTS
from portico.core.errors import InvalidRequest

Network: TypeAlias = IPv4Network | IPv6Network

ON_DISCONNECT: Final = ("cancel", "drain")
IMAGE_FORMS: Final = ("markdown", "images", "parts")
"""As `relay.media` knows them (mapping.md 2.8)."""
MOST: Final = 2**63 - 1
"""What a column of the database holds."""
MAX_ENTRIES: Final = 1000
LONGEST_GLOB: Final = 256
MAX_GLOBS: Final = 10_000
"""Characters of all globs together: they are made into one expression, where everybody's calls are answered."""


class Policy(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Absent means unlimited, or as the configuration has it. Amounts are nano-dollars, windows are of UTC."""

    models: tuple[str, ...] = ()
    """Globs over the names of models (`gemini-3*`), as the catalog or the caller names them; empty: all."""
    allow_ips: tuple[str, ...] = ()
    """Addresses and networks the key may be used from; empty: any."""
    rpm: int | None = None
    """Requests in a minute."""
    tpm: int | None = None
    """Tokens in a minute, of input and output."""
    concurrent: int | None = None
    """Calls open at a time."""
    budget_day_nanos: int | None = None
    budget_month_nanos: int | None = None
    image_form: str | None = None
    """How images of an answer come, where the call does not say."""
    strict: bool = False
    """Nothing of a request may be lost, where the call does not say."""
    on_disconnect: str | None = None
    """Whose caller hangs up in the middle of an answer: `cancel` stops the provider, `drain` reads on to the real usage."""
    default_effort: str | None = None
    """How much a model thinks, where the call does not say. A body that passes to its provider untouched stays so."""


UNLIMITED: Final = Policy()
_COUNTS: Final = ("rpm", "tpm", "concurrent", "budget_day_nanos", "budget_month_nanos")
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "image_form": IMAGE_FORMS,
    "on_disconnect": ON_DISCONNECT,
    "default_effort": EFFORTS,
}
_encoder: Final = msgspec.json.Encoder()


def policy_of(fields: Mapping[str, Any]) -> Policy:
    """A policy from plain JSON values. Raises `InvalidRequest` that names the field (`param`) and what is wrong with it."""
    for name in fields:
        if name not in Policy.__struct_fields__:
            known = ", ".join(Policy.__struct_fields__)
            raise InvalidRequest(f"A key has no setting {name!r}. There are: {known}.", param=name)
    for name, value in fields.items():
        try:
            msgspec.convert({name: value}, Policy)
        except msgspec.ValidationError as error:
            reason = str(error).partition(" - at ")[0]
            raise InvalidRequest(f"{name}: {reason}.", param=name) from None
    policy = msgspec.convert(fields, Policy)
    _check(policy)
    return policy


def changed(policy: Policy, fields: Mapping[str, Any]) -> Policy:
    """The policy with these fields set anew; a null is back to the default. Raises `InvalidRequest` as `policy_of` does."""
    kept = {name: value for name, value in msgspec.to_builtins(policy).items() if name not in fields}
    unset = {name for name, value in fields.items() if value is None and name in Policy.__struct_fields__}
    return policy_of(kept | {name: value for name, value in fields.items() if name not in unset})


def encode_policy(policy: Policy) -> str:
    """JSON for the `keys.policy` column: only what was set."""
    return _encoder.encode(policy).decode()


@lru_cache(maxsize=4096)
def decode_policy(text: str) -> Policy:
    """A stored policy; keys that have the same share it. Raises `InvalidRequest` for one that this version cannot keep."""
    try:
        fields = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise InvalidRequest(f"The stored policy cannot be read: {error}") from None
    return policy_of(fields)


@lru_cache(maxsize=4096)
def networks_of(entries: tuple[str, ...]) -> tuple[Network, ...]:
    """`allow_ips` as networks: an address is a network of one. Raises `ValueError`."""
    return tuple([ip_network(entry.strip("[]"), strict=False) for entry in entries])


@lru_cache(maxsize=16384)
def is_allowed(peer: str, entries: tuple[str, ...]) -> bool:
    """Whether an address is in one of the networks. What is no address, such as the name of a Unix socket, is in none; an
    IPv4 address that came mapped into IPv6 is the IPv4 address."""
    try:
        address: IPv4Address | IPv6Address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks_of(entries))


def _check(policy: Policy) -> None:
    for name in _COUNTS:
        count = getattr(policy, name)
        if count is not None and not 0 < count <= MOST:
            raise InvalidRequest(f"{name}: a whole number from 1 to {MOST}, or nothing for no limit.", param=name)
    for name, words in _WORDS.items():
        word = getattr(policy, name)
        if word is not None and word not in words:
            raise InvalidRequest(f"{name}: one of {', '.join(words)}, not {word[:40]!r}.", param=name)
    for name in ("models", "allow_ips"):
        if len(getattr(policy, name)) > MAX_ENTRIES:
            raise InvalidRequest(f"{name}: at most {MAX_ENTRIES} entries.", param=name)
    if sum(map(len, policy.models)) > MAX_GLOBS:
        raise InvalidRequest(f"models: at most {MAX_GLOBS} characters in all.", param="models")
    for glob in policy.models:
        if not 0 < len(glob) <= LONGEST_GLOB or glob != glob.strip() or not glob.isprintable():
            raise InvalidRequest(f"models: {glob[:40]!r} is not a name or a pattern for names.", param="models")
    for entry in policy.allow_ips:
        try:
            ip_network(entry.strip("[]"), strict=False)
        except ValueError:
            message = f"allow_ips: {entry[:60]!r} is neither an address nor a network."
            raise InvalidRequest(message, param="allow_ips") from None
