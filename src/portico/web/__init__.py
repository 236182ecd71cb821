"""The public house: what visitors see. An ASGI app on the gateway's own listener (`http/front.py` says for which paths).

    addresses.py   locales, twins, what a path means
    house.py       the app: finds the page, renders it, sends it with its headers
    kept.py        answers that were made, within a bound
    book.py        the pages that are written (pages/<locale>/**.md) and their order
    able.py        what a model can do for callers of each dialect, found by translating what `asks.py` asks
    markdown.py    Markdown -> HTML, contents, twins
    evidence.py    a receipt, a race, a run of the bench: what was written down, for the pages that show it
    site/          the pages that are made of data: one module each, a view for every form of the page
    templates/     HTML and Markdown of those; `parts.html` and `parts.md` have what several of them use
    static/        one style sheet, small modules of script; served under /s/<hash>/, for ever

Rules: every page exists in three locales and, made of the same view, as Markdown; nothing inline that a strict
Content-Security-Policy would refuse; an unknown figure is said to be unknown.
"""
