"""The desk as a whole: what needs somebody, what runs, and who changed what."""

from portico.accounts.standing import FINE, standings
from portico.ledger.open_calls import count_open
from portico.web.admin.forms import page
from portico.web.admin.state import Fare, fares_of, unpriced
from portico.web.inside.asked import Asked, Shown

FEW = 10


async def home(asked: Asked) -> Shown:
    backstage = asked.backstage
    found = await backstage.reading.read(standings)
    providers = (await asked.do("providers list")).data
    calls = (await asked.do("calls list", limit=FEW)).data
    audit = (await asked.do("audit", limit=FEW)).data
    drafts = (await asked.do("prices draft list")).data
    fares = fares_of(await backstage.showroom.traffic())
    return page(
        asked,
        "home",
        "Overview",
        attention=[one for one in found if one.needs != FINE],
        accounts=len(found),
        providers=[one for one in providers if one.state != "asked" or fares.get(one.name, Fare()).failing],
        all_providers=len(providers),
        fares=fares,
        calls=calls,
        open_count=await backstage.reading.read(count_open),
        audit=audit,
        unpriced=unpriced(backstage.showroom),
        drafts=drafts,
    )
