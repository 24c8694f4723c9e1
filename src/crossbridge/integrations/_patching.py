"""
Methods of other people's libraries, wrapped while a collector records.

Nothing is imported for it: a library that is there is patched at once, another when the tests import it. What a test
has put over a wrapper of ours (a mock, a cassette) stays; the wrapper below it then only passes calls on.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar

from crossbridge.profiling.guard import caught

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    # Takes a method and returns what is to be called in its place.
    Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]
    # Takes a module that has just been imported and patches what is in it.
    Install = Callable[[Any], None]


class Patches:
    """What is patched in this process, for `switch_off` to undo. Not for several threads at once."""

    finder: ClassVar[Finder | None] = None
    done: ClassVar[list[tuple[type, str, Any, Any]]] = []


def switch_on(libraries: Mapping[str, Install]) -> None:
    """Patch these modules, by name: now, or when they are imported. Once until `switch_off`; never raises."""
    if Patches.finder is not None:
        return
    try:
        Patches.finder = Finder(libraries)
        sys.meta_path.insert(0, Patches.finder)
        for name, install in libraries.items():
            if (module := sys.modules.get(name)) is not None:
                _install(install, module)
    except Exception as error:  # noqa: BLE001  (whatever it is, the tests run)
        caught(error, "switch_on")


def switch_off() -> None:
    """Put everything back. Never raises."""
    try:
        if Patches.finder in sys.meta_path:
            sys.meta_path.remove(Patches.finder)
        Patches.finder = None
        while Patches.done:
            owner, name, original, ours = Patches.done.pop()
            if vars(owner).get(name) is ours:
                setattr(owner, name, original)
    except Exception as error:  # noqa: BLE001
        caught(error, "switch_off")


def patch(owner: object, name: str, wrap: Wrap) -> None:
    """Wrap a method of a class; what is no class, or has no such method, is of a version unknown to us."""
    if not isinstance(owner, type):
        return
    original: Any = vars(owner).get(name)
    if not hasattr(type(original), "__get__"):
        return
    ours = wraps(original)(wrap(_callable(original)))
    setattr(owner, name, ours)
    Patches.done.append((owner, name, original, ours))


def is_ours(method: object) -> bool:
    """Tell whether a function is a wrapper that `patch` has put in."""
    return any(method is ours for _, _, _, ours in Patches.done)


def hide_frame(error: BaseException) -> None:
    """
    Take the frame that has just caught an error off its traceback; go on with a bare `raise`, or out of a `with`.

    Python 3.10 puts the frame back; there `__tracebackhide__` hides it from pytest's reports.
    """
    traceback = error.__traceback__
    if traceback is not None:  # past __setattr__: a user's error may be a frozen dataclass
        BaseException.with_traceback(error, traceback.tb_next)


class Finder:
    """The first of `sys.meta_path`: has the others look for a module of ours, and patches it when it has run."""

    def __init__(self, libraries: Mapping[str, Install]) -> None:
        self._libraries = libraries
        self._finding: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        install = self._libraries.get(name)
        if install is None or name in self._finding:  # another hook like this one asks all finders, as we do
            return None
        self._finding.add(name)
        try:
            spec = _find(self, name, path, target)
        finally:
            self._finding.discard(name)
        if spec is not None:
            try:
                _watch(spec.loader, name, install)
            except Exception as error:  # noqa: BLE001
                caught(error, f"watching {name}")
        return spec


def _find(asking: Finder, name: str, path: Any, target: ModuleType | None) -> ModuleSpec | None:
    for finder in tuple(sys.meta_path):
        find_spec = None if finder is asking else getattr(finder, "find_spec", None)
        spec = None if find_spec is None else find_spec(name, path, target)
        if spec is not None:
            return spec  # type: ignore[no-any-return]
    return None


def _watch(loader: Any, name: str, install: Install) -> None:
    """Have a loader tell when it has run the module. It stays the loader it is: the module keeps it."""
    exec_module = getattr(loader, "exec_module", None)
    if exec_module is None or isinstance(loader, type):  # a class loads for everybody
        return

    def execute(module: ModuleType) -> None:
        __tracebackhide__ = True
        with suppress(AttributeError):
            del loader.exec_module
        try:
            exec_module(module)
        except BaseException as error:
            hide_frame(error)
            raise
        if module.__name__ == name:
            _install(install, module)

    with suppress(AttributeError):  # a loader that takes no attributes: the library is not recorded
        loader.exec_module = execute


def _install(install: Install, module: Any) -> None:
    try:
        install(module)
    except Exception as error:  # noqa: BLE001
        caught(error, f"patching {getattr(module, '__name__', '')}")


def _callable(method: Any) -> Callable[..., Any]:
    """Return a method as a function of the instance and its arguments; another tool's descriptor must be bound."""
    if isinstance(method, FunctionType):
        return method
    return lambda instance, *args, **kwargs: method.__get__(instance, type(instance))(*args, **kwargs)
