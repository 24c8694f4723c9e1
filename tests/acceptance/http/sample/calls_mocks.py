"""Other people's doubles, all of which put something in the place of what we wrap, or below it."""

import asyncio

import httpx
import pytest
import requests
import requests_mock
import responses
import respx
import vcr


def test_responses(url):
    with responses.RequestsMock() as mocked:
        mocked.get("http://shop.test/items/1", status=418)
        mocked.get("http://shop.test/items/2", body=requests.ConnectionError("no"))
        mocked.add_passthru(url)
        assert requests.get("http://shop.test/items/1").status_code == 418
        with pytest.raises(requests.ConnectionError):
            requests.get("http://shop.test/items/2")
        assert requests.get(url + "/items/1").text == "ok"
        assert len(mocked.calls) == 2


def test_requests_mock(url):
    with requests_mock.Mocker() as mocked:
        mocked.get("http://shop.test/items/1", status_code=418)
        assert requests.get("http://shop.test/items/1").status_code == 418
        mocked.get(url + "/items/1", real_http=True)
        assert requests.get(url + "/items/1").text == "ok"


def test_respx(url):
    with respx.mock:
        respx.get("http://shop.test/items/1").mock(return_value=httpx.Response(418))
        respx.get("http://shop.test/items/2").mock(side_effect=httpx.ConnectError)
        respx.route(host="127.0.0.1").pass_through()
        assert httpx.get("http://shop.test/items/1").status_code == 418
        with pytest.raises(httpx.ConnectError):
            httpx.get("http://shop.test/items/2")
        assert httpx.get(url + "/items/1").text == "ok"


@respx.mock
def test_respx_async():
    async def main():
        respx.get("http://shop.test/items/1").mock(return_value=httpx.Response(418))
        respx.get("http://shop.test/items/2").mock(side_effect=httpx.ConnectError)
        async with httpx.AsyncClient() as client:
            assert (await client.get("http://shop.test/items/1")).status_code == 418
            with pytest.raises(httpx.ConnectError):
                await client.get("http://shop.test/items/2")

    asyncio.run(main())


@pytest.mark.httpx_mock(should_mock=lambda request: request.url.host == "shop.test")
def test_pytest_httpx(url, httpx_mock):
    httpx_mock.add_response(url="http://shop.test/items/1", status_code=418)
    assert httpx.get("http://shop.test/items/1").status_code == 418
    assert httpx.get(url + "/items/1").text == "ok"


def test_vcr_records(url, tmp_path_factory):
    _play(url, tmp_path_factory)


def test_vcr_plays(url, tmp_path_factory):
    _play(url, tmp_path_factory)


def _play(url, folders):
    folder = folders.getbasetemp()
    with vcr.use_cassette(folder / "requests.yml", record_mode="once"):
        assert requests.get(url + "/items/1").text == "ok"
    with vcr.use_cassette(folder / "httpx.yml", record_mode="once"):
        assert httpx.get(url + "/items/1").text == "ok"
