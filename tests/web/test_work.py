"""The process of page work: it ends with the server."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sane.web.work.client import PageWork, WorkFailed


def test_a_process_that_starts_while_the_server_ends_is_ended() -> None:
    """Nothing is left of it: the fixture of all tests looks for its descriptors."""

    async def run() -> None:
        work = PageWork(logging.getLogger("pysane.test"))
        asking = asyncio.ensure_future(work.ask("nothing", 10))
        await asyncio.sleep(0)
        await work.close()
        with pytest.raises(WorkFailed, match="the server is ending"):
            await asking

    asyncio.run(run())


def test_a_process_whose_start_is_cancelled_is_ended() -> None:
    """At whatever point; nothing is left of it, as above."""

    async def run(steps: int) -> None:
        work = PageWork(logging.getLogger("pysane.test"))
        asking = asyncio.ensure_future(work.ask("nothing", 10))
        for _ in range(steps):
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await work.close()

    for steps in range(24):
        asyncio.run(run(steps))


def test_clients_take_turns_however_many_requests_one_has() -> None:
    async def run() -> list[str]:
        work = PageWork(logging.getLogger("pysane.test"))
        done: list[str] = []

        async def ask(who: str) -> None:
            with pytest.raises(WorkFailed, match="nothing"):
                await work.ask("nothing", 10, who=who)
            done.append(who)

        await asyncio.gather(*(ask(who) for who in "aaaabba"))
        await work.close()
        return done

    assert asyncio.run(run()) == list("ababaaa")
