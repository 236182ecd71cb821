"""The public house of one worker: what its pages are made of, and the app, which is loaded when somebody first looks.

A gateway that only answers calls pays for none of it: templates and their libraries are some 25 MB and half a second.
"""

import asyncio
from datetime import UTC, datetime
from random import SystemRandom
from typing import TYPE_CHECKING

from portico.catalog.catalog import Catalog
from portico.cli.bookkeeper import Bookkeeper
from portico.cli.traffic import TrafficBook
from portico.config import Config
from portico.http.address import parse_address
from portico.http.lifespan import ASGIApp, Message, Receive, Scope, Send
from portico.http.proxy import Proxy
from portico.relay.relay import Relay

if TYPE_CHECKING:
    from portico.web.inside.backstage import Backstage
    from portico.web.payments.counter import Counter
    from portico.web.showroom import Showroom


class LazyHouse:
    """The ASGI app of the house. The first visitor waits until it is loaded; calls do not wait for that."""

    def __init__(
        self,
        settings: Config,
        catalog: Catalog,
        relay: Relay,
        books: Bookkeeper,
        traffic: TrafficBook,
        *,
        simulated: bool,
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._relay = relay
        self._books = books
        self._traffic = traffic
        self._simulated = simulated
        self._app: ASGIApp | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if self._app is None:
            async with self._loading:
                if self._app is None:
                    self._app = await asyncio.to_thread(self._load)
        await self._app(scope, receive, send)

    def _load(self) -> ASGIApp:
        from portico.cli.shown import Shown
        from portico.web.doors import ROOMS, Doors
        from portico.web.house import House
        from portico.web.inside.app import Inside
        from portico.web.showroom import Keeping, Showroom

        shown = Shown(self._relay, self._books, self._traffic)
        showroom = Showroom(
            catalog=lambda: self._catalog,
            offers=shown.offers,
            rates=shown.rates,
            traffic=shown.traffic,
            now=lambda: datetime.now(UTC),
            version=lambda: self._books.prices,
            public_url=self._settings.web.public_url,
            contact=self._settings.web.contact,
            legal=self._settings.web.legal,
            keeping=Keeping(**{name: getattr(self._settings.retention, name) for name in Keeping.__struct_fields__}),
            simulated=self._simulated,
        )
        return Doors(House(showroom), Inside(self._backstage(showroom), ROOMS))

    def _backstage(self, showroom: "Showroom") -> "Backstage":
        from portico.admin.command import Office
        from portico.cli.housekeeping import house_of
        from portico.web.inside.backstage import Backstage

        rng, reading = SystemRandom(), self._books.database.reading
        return Backstage(
            showroom=showroom,
            reading=reading,
            office=Office(reading, house_of(self._settings), rng),
            rng=rng,
            signup=self._settings.signup.mode,
            extras={
                "counter": self._counter(),
                "max_body_bytes": self._settings.server.max_body_bytes,
                **self._oidc(),
            },
        )

    def _oidc(self) -> dict[str, object]:
        """Whom people may sign in with, if that is configured. Its libraries are loaded when somebody does."""
        oidc = self._settings.oidc
        if oidc is None:
            return {}
        from portico.web.people.issuer import Issuer

        secret = None if oidc.client_secret is None else oidc.client_secret.reveal()
        return {"oidc": Issuer(oidc, secret, proxies=self._proxy_to)}

    def _proxy_to(self, url: str) -> Proxy | None:
        return self._settings.proxies.leading_to(parse_address(url).origin)

    def _counter(self) -> "Counter":
        from portico.web.payments.counter import CardDesk, Counter
        from portico.web.payments.stripe_till import StripeTill

        card, stripe = None, self._settings.stripe
        if stripe is not None:
            till = StripeTill(stripe.secret_key, stripe.webhook_secret, live=stripe.live, api_base=stripe.api_base)
            card = CardDesk(
                till=till,
                amounts=stripe.amounts,
                min_amount=stripe.min_amount,
                max_amount=stripe.max_amount,
                fee=stripe.fee,
            )
        return Counter(self._settings.payments.note, card)


async def _live(receive: Receive, send: Send) -> None:
    """There is nothing to start and nothing to end."""
    while True:
        message: Message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
