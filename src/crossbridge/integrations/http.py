"""
HTTP calls of requests, urllib3, httpx and aiohttp: a row for every request that is answered or fails.

A redirect is an answer: each hop is a call. A call lasts until its response's headers are there, as `elapsed` of
requests does; urllib3 called directly reads the body as well, unless told otherwise. Nothing is kept of queries,
headers and bodies.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from crossbridge.integrations._patching import hide_frame, patch
from crossbridge.integrations._timing import timed, timed_coroutine
from crossbridge.profiling.context import Active
from crossbridge.profiling.guard import caught
from crossbridge.profiling.identity import endpoint
from crossbridge.profiling.real import now_us

if TYPE_CHECKING:
    from collections.abc import Callable


# Half of what a row costs right after a wait for the network, and tests call the same URLs again and again.
_endpoint = lru_cache(maxsize=1000)(endpoint)


def record(method: str, url: str, status: int | None, started_us: int, error: BaseException | None) -> None:
    """Write a row of the running test for a call that has ended now; `started_us` by our own clock."""
    collector = Active.collector
    if collector is None:
        return
    at_us = now_us()
    collector.record_http_call(
        _endpoint(url),
        method.upper(),
        status,
        at_us - started_us,
        error=None if error is None else type(error).__name__,
        at_us=at_us,
    )


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], place: int, name: str) -> Any:
    """Return an argument, None where the method was called in a wrong way and has said so."""
    return args[place] if len(args) > place else kwargs.get(name)


# requests: an adapter sends one request and follows no redirect. ---------------------------------------------------


def patch_requests(requests: Any) -> None:
    patch(requests.adapters.HTTPAdapter, "send", timed(_note_requests))


def _note_requests(
    args: tuple[Any, ...], kwargs: dict[str, Any], response: Any, started_us: int, error: BaseException | None
) -> None:
    request = _argument(args, kwargs, 1, "request")
    if request is not None:
        record(request.method, request.url, getattr(response, "status_code", None), started_us, error)


# urllib3: calls itself to try again and, in a pool, to follow; a PoolManager calls a pool for each hop. ------------


def patch_urllib3(urllib3: Any) -> None:
    patch(urllib3.HTTPConnectionPool, "urlopen", timed(_note_urllib3))


def _note_urllib3(
    args: tuple[Any, ...], kwargs: dict[str, Any], response: Any, started_us: int, error: BaseException | None
) -> None:
    pool, method, url = args[0], _argument(args, kwargs, 1, "method"), _argument(args, kwargs, 2, "url")
    if method is None or url is None:
        return
    if url.startswith("/"):  # else it goes to a proxy, which is told the whole URL
        host = f"[{pool.host}]" if ":" in pool.host else pool.host
        url = f"{pool.scheme}://{host}{f':{pool.port}' if pool.port else ''}{url}"
    record(method, url, getattr(response, "status", None), started_us, error)


# httpx: a transport sends one request. -----------------------------------------------------------------------------


def patch_httpx(httpx: Any) -> None:
    patch(httpx.HTTPTransport, "handle_request", timed(_note_httpx))
    patch(httpx.AsyncHTTPTransport, "handle_async_request", timed_coroutine(_note_httpx))


def _note_httpx(
    args: tuple[Any, ...], kwargs: dict[str, Any], response: Any, started_us: int, error: BaseException | None
) -> None:
    request = _argument(args, kwargs, 1, "request")
    if request is not None and not _is_mocked(args[0], response):
        record(request.method, str(request.url), getattr(response, "status_code", None), started_us, error)


def _is_mocked(transport: Any, response: Any) -> bool:
    """Tell whether respx has answered, which sits below the transport: nothing came from a network."""
    if response is not None:
        return "network_stream" not in response.extensions
    pool = type(getattr(transport, "_pool", None))
    send = getattr(pool, "handle_request", None) or getattr(pool, "handle_async_request", None)
    return not getattr(send, "__module__", "").startswith("httpcore")


# aiohttp: has a tracing of its own, which tells of each hop. -------------------------------------------------------


def patch_aiohttp(aiohttp: Any) -> None:
    tracing = aiohttp.TraceConfig()
    tracing.on_request_start.append(_Hop.begin)
    tracing.on_request_redirect.append(_Hop.redirect)
    tracing.on_request_end.append(_Hop.end)
    tracing.on_request_exception.append(_Hop.fail)
    tracing.freeze()

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        async def request(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            _trace(args[0], tracing)
            try:
                return await original(*args, **kwargs)
            except BaseException as error:
                hide_frame(error)
                raise

        return request

    patch(aiohttp.ClientSession, "_request", wrap)


def _trace(session: Any, tracing: Any) -> None:
    try:
        # A list of our own: the session's may be its maker's.
        if Active.collector is not None and tracing not in session.trace_configs:
            session._trace_configs = [*session.trace_configs, tracing]  # noqa: SLF001
    except Exception as fault:  # noqa: BLE001
        caught(fault, "aiohttp")


class _Hop:
    """aiohttp's callbacks: the session, what it keeps for us while a request lasts, and what has happened."""

    @staticmethod
    async def begin(_session: Any, kept: Any, _params: Any) -> None:
        kept.started_us = now_us()

    @staticmethod
    async def redirect(_session: Any, kept: Any, params: Any) -> None:
        _Hop.note(kept, params, params.response.status)
        kept.started_us = now_us()

    @staticmethod
    async def end(_session: Any, kept: Any, params: Any) -> None:
        _Hop.note(kept, params, params.response.status)

    @staticmethod
    async def fail(_session: Any, kept: Any, params: Any) -> None:
        error = params.exception
        status = getattr(error, "status", None) or None  # it was answered, and `raise_for_status` asked for
        has_told_all = status is None and bool(getattr(error, "history", None))  # too many redirects
        if params.url.host and not has_told_all:
            _Hop.note(kept, params, status, None if status else error)

    @staticmethod
    def note(kept: Any, params: Any, status: int | None, error: BaseException | None = None) -> None:
        try:
            record(params.method, str(params.url), status, kept.started_us, error)
        except Exception as fault:  # noqa: BLE001
            caught(fault, "aiohttp")
