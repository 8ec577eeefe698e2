"""The application: the parts' routes in one table, and their work beside requests.

A part is a module of PARTS with ``routes(context)``, a list of Starlette's routes, and, if it has
work of its own, ``run(context)``: a coroutine that lasts as long as the server, cancelled at its
end.
"""

from __future__ import annotations

import asyncio
import contextlib
from importlib import import_module
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .context import ShareContext

PARTS: tuple[str, ...] = ("escl", "api", "page")
PAGE = "page"
ANNOUNCED_BY = "escl"  # the part whose module `announcement` has the texts of TXT records


def application(context: ShareContext) -> Starlette:
    """Return the ASGI application of all parts; ``state.context`` is theirs."""
    wanted = [name for name in PARTS if name != PAGE or context.settings.server.page]
    modules = [import_module(f".{name}", __package__) for name in wanted]

    def ended(task: asyncio.Task[None]) -> None:
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            context.log.error("a part of the server has ended", exc_info=failure)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(module.run(context)) for module in modules if hasattr(module, "run")
        ]
        for task in tasks:
            task.add_done_callback(ended)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    routes = [route for module in modules for route in module.routes(context)]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.context = context
    return app


def announcement_texts() -> Any:
    """Return texts(context, scanner, scheme), which gives a TXT record; None without that part."""
    if ANNOUNCED_BY not in PARTS:
        return None
    return import_module(f".{ANNOUNCED_BY}.announcement", __package__).texts
