"""What a call comes to -> its receipt, and the write that closes its tab."""

import msgspec

from portico.core.usage import Usage, total
from portico.ledger.settle import Outcome, Release, Settle
from portico.metering.charge import NOTHING, Charge
from portico.metering.receipt import RECOVERED, Receipt, Tried, buckets, encode, with_unpriced
from portico.relay.call import Aim, Call
from portico.relay.report import FAILED
from portico.relay.tab import Tab


class Bill(msgspec.Struct, frozen=True):
    """What a call has used and costs, at its end or so far."""

    tab: Tab
    call: Call
    aim: Aim
    at_us: int
    usage: Usage | None
    """None: nothing was reported, and nothing is estimated."""
    charge: Charge
    several: bool
    """Not `aim` alone has answered: the lines say who else."""
    flags: tuple[str, ...] = ()


def checkpoint_of(bill: Bill) -> bytes:
    """What a recovery books if the gateway dies now."""
    bill = msgspec.structs.replace(bill, flags=(*bill.flags, RECOVERED))
    return encode(receipt_of(bill, RECOVERED))


def last_of(bill: Bill, outcome: str, *, counts: bool, kept: Outcome | None) -> Settle | Release:
    """The settlement, or where there is no answer that counts the release. `kept`: what becomes of its idempotency key."""
    if not counts:
        bill = msgspec.structs.replace(bill, charge=NOTHING)
    caller, charge, used = bill.tab.caller, bill.charge, bill.usage or Usage()
    write = Settle if counts else Release
    return write(
        request_id=bill.tab.request_id,
        account_id=caller.tenant,
        key_id=caller.key_id,
        charge_nanos=charge.nanos,
        cost_nanos=charge.cost_nanos,
        receipt=encode(receipt_of(bill, outcome)),
        model=bill.aim.model.name,
        outcome=outcome,
        at_us=bill.at_us,
        input_tokens=used.input_total,
        cached_tokens=total(used.input_cache_read),
        output_tokens=used.output_total,
        reasoning_tokens=total(used.output_reasoning),
        idempotency=kept,
    )


def unbooked(tab: Tab, kept: Outcome | None) -> Release:
    """The end of a call whose charge could not be made out: nothing of it stays open."""
    of = (tab.request_id, tab.caller.tenant, tab.caller.key_id)
    receipt = Receipt(request_id=of[0], account=of[1], key_id=of[2], outcome=FAILED, hold_nanos=tab.amount)
    return Release(
        request_id=of[0], account_id=of[1], key_id=of[2], receipt=encode(receipt), outcome=FAILED, idempotency=kept
    )


def receipt_of(bill: Bill, outcome: str) -> Receipt:
    """Everything a person needs who asks why."""
    call, aim, charge, tab = bill.call, bill.aim, bill.charge, bill.tab
    report, seen, losses = call.report, call.seen, call.all_losses()
    return Receipt(
        request_id=tab.request_id,
        account=tab.caller.tenant,
        key_id=tab.caller.key_id,
        at_us=bill.at_us,
        route=report.route,
        dialect=call.dialect.name,
        asked=call.request.model,
        model=aim.model.name,
        upstream_model=aim.target.model if bill.several else seen.model or aim.target.model,
        provider=aim.provider.name,
        stream=call.request.stream,
        outcome=outcome,
        service_tier=seen.service_tier or "",
        usage=buckets(bill.usage),
        raw_usage=seen.raw_usage,
        uses=call.uses(),
        lines=charge.lines,
        markup_permille=charge.markup_permille,
        hold_nanos=tab.amount,
        charge_nanos=charge.nanos,
        cost_nanos=charge.cost_nanos,
        cost_unknown=charge.cost_unknown,
        losses=tuple(dict.fromkeys([loss.code for loss in losses])) if losses else (),
        tries=tuple([Tried(one.provider, one.model, one.outcome, one.beside) for one in report.tries]),
        flags=with_unpriced(bill.flags, charge),
    )
