"""Behind the door: pages for whoever has signed in, and the door itself. What is common to all of them.

    backstage.py   what the pages are made of: ports, handed in by `cli/`
    asked.py       one request, who makes it, and what may come back
    room.py        an address, who may look and act there, and the functions that do
    guard.py       cookies, and whether a form is one of ours
    render.py      a template becomes a page
    app.py         the ASGI app: session -> room -> reply

The rooms themselves are beside this folder: `people/` (the door), `console/`, `playground/`, `admin/`. Every change that a
page makes is a command of `portico.admin`, as on the command line; a page only says who asks, and whether they may."""
