"""aioresponses, which needs an aiohttp before 3.14."""

import asyncio

import aiohttp
from aioresponses import aioresponses


def test_aioresponses(url):
    async def main():
        with aioresponses(passthrough=[url]) as mocked:
            mocked.get("http://shop.test/items/1", status=418)
            async with aiohttp.ClientSession() as session:
                assert (await session.get("http://shop.test/items/1")).status == 418
                assert (await session.get(url + "/items/1")).status == 200

    asyncio.run(main())
