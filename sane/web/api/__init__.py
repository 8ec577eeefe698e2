"""REST under /api/v1: one table of operations gives the routes, the checks and OpenAPI 3.1.

Starlette alone, without FastAPI: Debian 12's FastAPI describes itself in OpenAPI 3.0 and needs
pydantic 1, and the table says everything once as it is. routes() and run() are what sane.web.main
asks of a part.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from ..context import ShareContext
    from ..parts import Parts

PART = "api"


def parts_of(context: ShareContext) -> Parts:
    """Return the parts behind the interface; they are made once for a server."""
    from ..events import Events
    from ..parts import Parts

    if PART not in context.parts:
        if context.events is None:
            context.events = Events()
        context.parts[PART] = Parts(context)
    found: Parts = context.parts[PART]
    return found


def routes(context: ShareContext) -> list[BaseRoute]:
    """Return the routes of the interface."""
    from .routing import routes_of

    return list(routes_of(parts_of(context)))


async def run(context: ShareContext) -> None:
    """Deliver, watch buttons, keep house; lasts as long as the server."""
    await parts_of(context).run()
