"""HTTP/1.1 at both edges: callers come in through `server`, providers are reached through `client`.

Each side is one `asyncio.Protocol` over httptools: no task, queue or timer of its own per piece of a body.
"""
