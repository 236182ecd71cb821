"""The ways to a provider of identities: to each of its addresses through the proxy that leads there, if one does."""

import httpx2

from portico.web.people.issuer import Proxies


class Ways(httpx2.AsyncBaseTransport):
    """Of one client. What environments name is not looked at here: the operator's proxies are handed in."""

    def __init__(self, proxies: Proxies) -> None:
        self._proxies = proxies
        self._known: dict[str | None, httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises `ValueError` for an address that is none."""
        leading = self._proxies(str(request.url))
        url = None if leading is None else leading.url
        way = self._known.get(url)
        if way is None:
            secret = None if leading is None else leading.authorization
            shown = {} if secret is None else {"proxy-authorization": secret.reveal()}
            proxy = None if url is None else httpx2.Proxy(url, headers=shown)
            way = self._known[url] = httpx2.AsyncHTTPTransport(proxy=proxy, trust_env=False)
        return await way.handle_async_request(request)

    async def aclose(self) -> None:
        for way in self._known.values():
            await way.aclose()
