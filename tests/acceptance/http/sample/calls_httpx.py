import asyncio
import pickle

import httpx
import pytest
import seen

import crossbridge


def test_methods(url):
    assert httpx.get(url + "/items/12?token=s3cret").text == "ok"
    with httpx.Client(auth=("user", "s3cret")) as client:
        assert client.post(url + "/items/a", json={"password": "s3cret"}).status_code == 200
        assert client.get(url + "/status/404").status_code == 404


def test_redirects(url):
    assert len(httpx.get(url + "/old/2", follow_redirects=True).history) == 2
    assert httpx.get(url + "/old/1").status_code == 302


def test_streaming(server, url):
    with httpx.stream("GET", url + "/body_on_demand") as response, crossbridge.step("body"):
        server.wants_body.set()
        assert response.read() == b"late"


def test_errors(url, refused):
    with pytest.raises(httpx.ReadTimeout) as timeout:
        httpx.get(url + "/never", timeout=0.05)
    seen.show_error(timeout.value)
    with pytest.raises(httpx.ConnectError) as no_server:
        httpx.get(refused)
    seen.show_error(no_server.value)


def test_async(url):
    async def main():
        async with httpx.AsyncClient() as client:
            assert (await client.get(url + "/items/1")).text == "ok"
            answers = await asyncio.gather(*(client.get(f"{url}/status/{200 + n}") for n in range(5)))
            assert [answer.status_code for answer in answers] == [200, 201, 202, 203, 204]
            assert (await client.get(url + "/old/1", follow_redirects=True)).status_code == 200

    asyncio.run(main())


def test_async_streaming(server, url):
    async def main():
        async with httpx.AsyncClient() as client, client.stream("GET", url + "/body_on_demand") as response:
            with crossbridge.step("body"):
                server.wants_body.set()
                assert await response.aread() == b"late"

    asyncio.run(main())


def test_async_errors(url, refused):
    async def main():
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.ReadTimeout) as timeout:
                await client.get(url + "/never", timeout=0.05)
            seen.show_error(timeout.value)
            with pytest.raises(httpx.ConnectError):
                await client.get(refused)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.get(url + "/never"), 0.05)

    asyncio.run(main())


def test_inner_transports(url):
    """No network is in these."""
    app = httpx.MockTransport(lambda request: httpx.Response(418))
    with httpx.Client(transport=app) as client:
        assert client.get(url).status_code == 418


def test_subclasses(url):
    class Transport(httpx.HTTPTransport):
        def handle_request(self, request):
            return super().handle_request(request)

    with httpx.Client(transport=Transport()) as client:
        assert client.get(url + "/items/1").status_code == 200


def test_what_can_be_seen():
    seen.show_method(httpx.HTTPTransport, "handle_request")
    seen.show_method(httpx.AsyncHTTPTransport, "handle_async_request")
    seen.show(sorted(vars(httpx.HTTPTransport)), sorted(vars(httpx.AsyncHTTPTransport)))
    method = httpx.HTTPTransport.handle_request
    assert pickle.loads(pickle.dumps(method)) is method
