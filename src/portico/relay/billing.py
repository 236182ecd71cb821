"""What a call comes to -> its receipt, and the write that closes its tab."""

from typing import Final

import msgspec

from portico.core.usage import Usage
from portico.ledger.settle import Release, Settle
from portico.metering.charge import Charge
from portico.metering.receipt import Receipt
from portico.relay.call import Aim, Call
from portico.relay.tab import Tab

NOTHING: Final = Charge(nanos=0, cost_nanos=0, lines=())


class Bill(msgspec.Struct, frozen=True):
    """What a call has used and costs, at its end or so far."""

    tab: Tab
    call: Call
    aim: Aim
    at_us: int
    usage: Usage
    charge: Charge
    estimated: bool = False
    partial: bool = False
    drained: bool = False


def checkpoint_of(bill: Bill) -> bytes:
    """What a recovery books if the gateway dies now."""
    return receipt_of(bill, "recovered").encode()


def last_of(bill: Bill, outcome: str, *, counts: bool) -> Settle | Release:
    call, caller = bill.call, bill.tab.caller
    if not counts:
        bill = msgspec.structs.replace(bill, charge=NOTHING, estimated=False)
    receipt = receipt_of(bill, outcome).encode()
    if not counts:
        return Release(bill.tab.request_id, caller.tenant, caller.key_id, 0, 0, 0, receipt)
    tokens = bill.usage.input_total + bill.usage.output_total
    return Settle(
        bill.tab.request_id, caller.tenant, caller.key_id, bill.charge.nanos, bill.charge.cost_nanos, tokens, receipt
    )


def receipt_of(bill: Bill, outcome: str) -> Receipt:
    call, aim = bill.call, bill.aim
    caller = bill.tab.caller
    return Receipt(
        bill.tab.request_id,
        caller.tenant,
        caller.key_id,
        bill.at_us,
        dict(
            outcome=outcome,
            estimated=bill.estimated,
            partial=bill.partial,
            drained=bill.drained,
            usage=msgspec.to_builtins(bill.usage),
        ),
    )
