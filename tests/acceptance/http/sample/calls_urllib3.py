import pytest
import seen
import urllib3

import crossbridge


def test_methods(url):
    with urllib3.PoolManager() as manager:
        assert manager.request("GET", url + "/items/12?token=s3cret").data == b"ok"
        assert manager.request("post", url + "/items/a", body=b"s3cret").status == 200
        assert manager.request("GET", url + "/status/404").status == 404


def test_redirects(url):
    with urllib3.PoolManager() as manager:
        assert manager.request("GET", url + "/old/2").data == b"ok"
        assert manager.request("GET", url + "/old/1", redirect=False).status == 302


def test_redirects_in_a_pool(url):
    with urllib3.connection_from_url(url) as pool:
        assert pool.request("GET", "/old/2").data == b"ok"


def test_streaming(server, url):
    with urllib3.PoolManager() as manager:
        response = manager.request("GET", url + "/body_on_demand", preload_content=False)
        with crossbridge.step("body"):
            server.wants_body.set()
            assert response.read() == b"late"
        response.release_conn()


def test_retries(url):
    retry = urllib3.Retry(2, status_forcelist=[503])
    with urllib3.PoolManager(retries=retry) as manager:
        assert manager.request("GET", url + "/unavailable/urllib3").status == 200


def test_errors(url, refused):
    with urllib3.PoolManager(retries=False) as manager:
        with pytest.raises(urllib3.exceptions.ReadTimeoutError) as timeout:
            manager.request("GET", url + "/never", timeout=0.05)
        seen.show_error(timeout.value)
        with pytest.raises(urllib3.exceptions.NewConnectionError) as no_server:
            manager.request("GET", refused)
        seen.show_error(no_server.value)


def test_what_can_be_seen():
    seen.show_method(urllib3.HTTPConnectionPool, "urlopen")
    seen.show(sorted(vars(urllib3.HTTPConnectionPool)))


def test_proxy(url):
    # To a proxy goes the whole URL, from which the server makes a kind of path that it does not know.
    with urllib3.ProxyManager(url) as proxy, pytest.raises(urllib3.exceptions.MaxRetryError):
        proxy.request("GET", "http://shop.test/users/17?token=s3cret", retries=0)
