"""What is done for a key beside its calls: files are brought and asked for, addresses are fetched from.

Nothing is charged for it, so nothing is held. Still it goes out to somebody else, so that it counts as a request of the
key's minute, and nothing is brought or fetched for a prepaid account that has nothing: whoever pays for nothing could fill
the operator's room at providers, or have the gateway download whatever they like.
"""

from portico.accounts import Caller
from portico.core.errors import StorageUnavailable
from portico.ledger import Admit
from portico.relay.tab import error_of
from portico.relay.till import Till


async def admit(till: Till, caller: Caller, *, funded: bool, counts: bool = True) -> None:
    """Whether this may be done, counted as a request if it `counts`; `funded`: a prepaid account must have something.

    Raises `InsufficientFunds`, `LimitReached`, and `StorageUnavailable` for a prepaid account: an open one is served
    without the database.
    """
    rpm = till.limits_of(caller).rpm
    if rpm is None and not (funded and caller.prepaid):
        return
    asked = Admit(caller.tenant, caller.key_id, rpm=rpm, funded=funded and caller.prepaid, counts=counts)
    try:
        refused = await till.committer.submit(asked)
    except StorageUnavailable:
        if caller.prepaid:
            raise
        return
    if refused is not None:
        raise error_of(refused)
