"""One call from request to answer. The control flow is on one page, relay.py."""
