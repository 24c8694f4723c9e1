import pickle
import threading
from unittest import mock

import pytest
import requests
import seen
import urllib3
from requests.adapters import HTTPAdapter
from urllib3 import Retry

import crossbridge


def test_methods(url):
    assert requests.get(url + "/items/12?token=s3cret").text == "ok"
    assert requests.post(f"{url.replace('//', '//user:s3cret@')}/items/a/b", data="s3cret").status_code == 200
    assert requests.request("delete", url + "/status/404").status_code == 404


def test_redirects(url):
    response = requests.get(url + "/old/2")
    assert [hop.status_code for hop in response.history] == [302, 302]
    assert requests.get(url + "/old/1", allow_redirects=False).status_code == 302


def test_streaming(server, url):
    with requests.get(url + "/body_on_demand", stream=True) as response, crossbridge.step("body"):
        server.wants_body.set()
        assert b"".join(response.iter_content(2)) == b"late"


def test_retries(url):
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(2, status_forcelist=[503])))
        assert session.get(url + "/unavailable/requests").status_code == 200


def test_errors(url, refused):
    with pytest.raises(requests.ReadTimeout) as timeout:
        requests.get(url + "/never", timeout=0.05)
    seen.show_error(timeout.value)
    with pytest.raises(requests.ConnectionError) as no_server:
        requests.get(refused)
    seen.show_error(no_server.value)
    with pytest.raises(requests.ConnectionError):
        requests.get(url + "/gone")
    with pytest.raises(requests.exceptions.InvalidURL):
        requests.get("http://")
    with pytest.raises(requests.HTTPError):
        requests.get(url + "/status/500").raise_for_status()
    with pytest.raises(TypeError) as wrong_use:
        HTTPAdapter().send()
    seen.show(wrong_use.value)


def test_threads(url):
    def get():
        for _ in range(5):
            requests.get(url + "/items/1")

    threads = [threading.Thread(target=get) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Adapter(HTTPAdapter):
    def send(self, request, **kwargs):
        return super().send(request, **kwargs)


class Alone(HTTPAdapter):
    """Calls urllib3 by itself."""

    def send(self, request, **kwargs):
        pool = urllib3.connection_from_url(request.url)
        return self.build_response(request, pool.urlopen("GET", "/items/2", preload_content=False))


def test_subclasses(url):
    with requests.Session() as session:
        session.mount("http://", Adapter())
        assert session.get(url + "/items/1").text == "ok"
        session.mount("http://", Alone())
        assert session.get(url + "/items/1").text == "ok"


def test_pickling(url):
    with requests.Session() as session:
        session.headers["x"] = "y"
        assert pickle.loads(pickle.dumps(session)).get(url + "/items/1").text == "ok"
    assert pickle.loads(pickle.dumps(HTTPAdapter.send)) is HTTPAdapter.send


def test_what_can_be_seen():
    seen.show_method(HTTPAdapter, "send")
    seen.show_method(requests.Session, "send")
    seen.show(sorted(vars(HTTPAdapter)))


def test_mock(url):
    with mock.patch.object(HTTPAdapter, "send", autospec=True) as send:
        send.return_value = requests.Response()
        send.return_value.status_code = 418
        assert requests.get(url, stream=True).status_code == 418
        with pytest.raises(TypeError):
            HTTPAdapter.send()
    assert requests.get(url + "/items/1").status_code == 200


def test_frozen_clock(url):
    freezegun = pytest.importorskip("freezegun")
    with freezegun.freeze_time("2012-01-14"):
        assert requests.get(url + "/items/1").elapsed.total_seconds() == 0
