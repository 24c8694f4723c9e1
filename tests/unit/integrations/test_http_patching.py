"""Libraries are wrapped when they are imported, look as they did, and are put back."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pickle
import sys
import zipfile
from importlib.machinery import SourceFileLoader
from unittest import mock

import pytest

from crossbridge.integrations import _patching
from crossbridge.profiling.guard import Faults

LIBRARY = """
class Client:
    def send(self, request, *, timeout=None):
        "Send it."
        return f"sent {request}"
"""


def _wrap(original):
    def call(*args, **kwargs):
        return "recorded: " + original(*args, **kwargs)

    return call


def _install(module):
    _patching.patch(module.Client, "send", _wrap)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A folder that modules can be imported from, each once."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    _patching.switch_off()
    for name in set(sys.modules) - before:
        del sys.modules[name]


def _write(folder, name="shop_client", text=LIBRARY):
    (folder / f"{name}.py").write_text(text)
    importlib.invalidate_caches()
    return name


def _send(name):
    return sys.modules[name].Client().send("it")


def test_library_is_wrapped_when_it_is_imported_and_put_back(library):
    name = _write(library)
    finders = list(sys.meta_path)
    _patching.switch_on({name: _install})
    module = importlib.import_module(name)
    assert _send(name) == "recorded: sent it"
    assert type(module.__loader__) is type(module.__spec__.loader) is SourceFileLoader
    assert "exec_module" not in vars(module.__loader__)
    _patching.switch_off()
    assert _send(name) == "sent it"
    assert sys.meta_path == finders


def test_library_that_is_there_is_wrapped_at_once(library):
    name = _write(library)
    importlib.import_module(name)
    _patching.switch_on({name: _install})
    _patching.switch_on({name: _install})  # once
    assert _send(name) == "recorded: sent it"


def test_method_looks_as_it_did(library):
    name = _write(library)
    module = importlib.import_module(name)
    names, signature = list(vars(module.Client)), inspect.signature(module.Client.send)
    _patching.switch_on({name: _install})
    method = module.Client.send
    assert list(vars(module.Client)) == names
    assert inspect.signature(method) == signature
    assert (method.__name__, method.__qualname__, method.__module__, method.__doc__) == (
        "send",
        "Client.send",
        name,
        "Send it.",
    )
    assert "sent {request}" in inspect.getsource(method)
    assert pickle.loads(pickle.dumps(method)) is method


def test_library_is_wrapped_anew_when_it_is_imported_anew(library):
    name = _write(library)
    _patching.switch_on({name: _install})
    importlib.reload(importlib.import_module(name))
    assert _send(name) == "recorded: sent it"


def test_asking_where_a_library_is_wraps_nothing_and_keeps_its_loader(library):
    name = _write(library)
    _patching.switch_on({name: _install})
    spec = importlib.util.find_spec(name)
    assert type(spec.loader) is SourceFileLoader
    assert importlib.util.find_spec("no_such_module_anywhere") is None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.Client().send("it") == "recorded: sent it"


def test_libraries_in_an_archive_that_import_each_other_are_wrapped(library, monkeypatch):
    archive = library / "libraries.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("outer_client.py", "import inner_client\n" + LIBRARY)
        content.writestr("inner_client.py", LIBRARY)
    monkeypatch.syspath_prepend(archive)
    _patching.switch_on({"outer_client": _install, "inner_client": _install})
    importlib.import_module("outer_client")
    assert _send("outer_client") == _send("inner_client") == "recorded: sent it"


def test_import_that_fails_fails_as_it_did(library):
    name = _write(library, text="raise ImportError('no such driver')")
    _patching.switch_on({name: _install})
    with pytest.raises(ImportError, match="no such driver") as error:
        importlib.import_module(name)
    assert "execute" not in [entry.name for entry in error.traceback] or sys.version_info < (3, 11)
    assert name not in sys.modules


def test_another_hook_that_asks_all_finders_is_asked_and_does_not_run_in_circles(library):
    name = _write(library)

    _patching.switch_on({name: _install})
    other = _patching.Finder({name: lambda module: None})
    sys.meta_path.insert(0, other)
    try:
        importlib.import_module(name)
    finally:
        sys.meta_path.remove(other)
    assert _send(name) == "recorded: sent it"


def test_mock_over_a_wrapper_works_and_survives_the_end(library):
    name = _write(library)
    client = importlib.import_module(name).Client
    _patching.switch_on({name: _install})
    with mock.patch.object(client, "send", autospec=True, return_value="mocked"):
        assert client().send("it") == "mocked"
        with pytest.raises(TypeError):
            client().send()
        _patching.switch_off()
        assert client().send("it") == "mocked"


def test_descriptor_of_another_tool_is_bound_as_it_wants(library):
    name = _write(library)
    client = importlib.import_module(name).Client
    original = client.send

    class Descriptor:
        def __get__(self, instance, owner=None):
            return lambda *args: f"bound to {type(instance).__name__}: {original(instance, *args)}"

        def __call__(self, *args):
            raise AssertionError("not bound")

    client.send = descriptor = Descriptor()
    _patching.switch_on({name: _install})
    assert client().send("it") == "recorded: bound to Client: sent it"
    _patching.switch_off()
    assert vars(client)["send"] is descriptor


@pytest.mark.parametrize("stand_in", [mock.MagicMock(), object(), None], ids=["mock", "object", "none"])
def test_stand_in_for_a_library_is_left_alone(library, monkeypatch, stand_in):
    monkeypatch.setattr(Faults, "first", None)
    monkeypatch.setitem(sys.modules, "shop_client", stand_in)
    _patching.switch_on(
        {"shop_client": lambda module: _patching.patch(getattr(module, "Client", None), "send", _wrap)}
    )
    assert Faults.first is None
    assert _patching.Patches.done == []


def test_fault_while_patching_is_counted_and_the_library_is_imported(library):
    name = _write(library)

    def fault(module):
        raise RuntimeError("injected")

    _patching.switch_on({name: fault})
    importlib.import_module(name)
    assert _send(name) == "sent it"
    assert Faults.first == f"patching {name}: RuntimeError: injected"


def test_error_that_takes_no_attributes_goes_through():
    class Frozen(Exception):
        def __setattr__(self, name, value):
            raise AttributeError(name)

    def raises():
        raise Frozen

    def ours():
        try:
            raises()
        except BaseException as error:
            _patching.hide_frame(error)
            raise

    with pytest.raises(Frozen) as error:
        ours()
    names = [entry.name for entry in error.traceback]
    assert names[-1] == "raises"
    assert "ours" not in names or sys.version_info < (3, 11)
