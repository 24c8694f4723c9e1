import asyncio
from unittest import mock

import aiohttp
import pytest
import seen

import crossbridge


def test_methods(url):
    async def main():
        async with aiohttp.ClientSession() as session:
            async with session.get(url + "/items/12?token=s3cret", params={"more": "s3cret"}) as response:
                assert await response.text() == "ok"
            async with session.post(url + "/items/a", data=b"s3cret") as response:
                assert response.status == 200
            async with session.get(url + "/status/404") as response:
                assert response.status == 404
            with pytest.raises(aiohttp.ClientResponseError):
                await session.get(url + "/status/500", raise_for_status=True)

    asyncio.run(main())


def test_redirects(url):
    async def main():
        async with aiohttp.ClientSession() as session:
            async with session.post(url + "/old/2", data=b"x") as response:
                assert [hop.status for hop in response.history] == [302, 302]
            async with session.get(url + "/old/1", allow_redirects=False) as response:
                assert response.status == 302
            with pytest.raises(aiohttp.TooManyRedirects):
                await session.get(url + "/old/3", max_redirects=2)

    asyncio.run(main())


def test_streaming(server, url):
    async def main():
        async with aiohttp.ClientSession() as session, session.get(url + "/body_on_demand") as response:
            with crossbridge.step("body"):
                server.wants_body.set()
                assert await response.read() == b"late"

    asyncio.run(main())


def test_gather(url):
    async def main():
        async with aiohttp.ClientSession() as session:

            async def get(number):
                async with session.get(f"{url}/status/{200 + number}") as response:
                    return response.status

            assert await asyncio.gather(*map(get, range(4))) == [200, 201, 202, 203]

    asyncio.run(main())


def test_errors(url, refused):
    async def main():
        async with aiohttp.ClientSession() as session:
            with pytest.raises(asyncio.TimeoutError) as timeout:
                await session.get(url + "/never", timeout=aiohttp.ClientTimeout(total=0.05))
            seen.show_error(timeout.value)
            with pytest.raises(aiohttp.ClientConnectorError) as no_server:
                await session.get(refused)
            seen.show_error(no_server.value)
            with pytest.raises(aiohttp.InvalidURL):
                await session.get("http://")

    asyncio.run(main())


def test_tracing_of_the_user(url):
    async def main():
        ended = []

        async def end(session, context, params):
            ended.append((context.trace_request_ctx, params.response.status))

        mine = aiohttp.TraceConfig()
        mine.on_request_end.append(end)
        configs = [mine]
        for _ in range(2):
            session = aiohttp.ClientSession(trace_configs=configs)
            async with session, session.get(url + "/items/1", trace_request_ctx="mine"):
                pass
        assert ended == [("mine", 200), ("mine", 200)]
        assert configs == [mine]

    asyncio.run(main())


def test_mock(url):
    async def main():
        with mock.patch("aiohttp.ClientSession._request") as request:
            assert isinstance(request, mock.AsyncMock)
            async with aiohttp.ClientSession() as session:
                await session.get(url)

    asyncio.run(main())


def test_what_can_be_seen():
    seen.show_method(aiohttp.ClientSession, "_request")
    seen.show_method(aiohttp.ClientSession, "get")
    seen.show(sorted(vars(aiohttp.ClientSession)))
