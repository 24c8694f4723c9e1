"""From what is recorded to the line it is in a segment.

By the standard library, which every test process has loaded anyway: whichever library encodes faster costs more at
each start than it saves in thousands of events. What the events of an attempt have in common is encoded once.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from json import JSONDecoder, JSONEncoder
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from crossbridge.profiling.context import RunningTest
from crossbridge.profiling.sanitise import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crossbridge.profiling.context import OpenStep
    from crossbridge.profiling.models import PerformanceEvent

    # From a text to a string of JSON.
    Quote = Callable[[Any], str]
    # What is told of an event, in one: Python calls a function of few arguments faster than one of `*arguments`.
    # The test, its status, its duration, set-up's and tear-down's in microseconds, type and message of an error.
    EndedTest = tuple[RunningTest, str, int, int | None, int | None, str | None, str | None]
    EndedStep = tuple[OpenStep, str, int]
    # The test, endpoint, method, status code, duration in microseconds, error.
    HttpCall = tuple[RunningTest | None, str, str, int | None, int, str | None]
    # The test, command, duration in microseconds, target, retries, error.
    DriverCommand = tuple[RunningTest | None, str, int, str | None, int, str | None]

to_json = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
from_json = JSONDecoder().decode


def quote_anything(value: object, quote: Quote = encode_basestring) -> str:
    """Return what stands in the place of a text as its text, quoted; some pass a path, or an error."""
    return quote(value if isinstance(value, str) else str(value))


def cleaned(line: str) -> bytes:
    """Return a line with storable text (`spec/sanitising.md`)."""
    event = {
        field: clean_text(value, field=field) if isinstance(value, str) else value
        for field, value in from_json(line).items()
    }
    return f"{to_json(event)}\n".encode()


def start_of_test(at_us: int, test: RunningTest, quote: Quote = encode_basestring) -> str:
    return f'{{"type":"test_start","at_us":{at_us},"test_id":{_introduce(test, quote)}{test.place}}}\n'


def end_of_test(at_us: int, ended: EndedTest, quote: Quote = encode_basestring) -> str:
    test, status, duration_us, setup_us, teardown_us, error_type, error_message = ended
    error = "" if error_type is None else f',"error_type":{quote(error_type)}'
    if error_message is not None:
        error += f',"error_message":{quote(error_message)}'
    if setup_us is None or teardown_us is None:
        phases = "" if setup_us is None else f',"setup_us":{setup_us}'
        if teardown_us is not None:
            phases += f',"teardown_us":{teardown_us}'
    else:
        phases = f',"setup_us":{setup_us},"teardown_us":{teardown_us}'
    return (
        f'{{"type":"test_end","at_us":{at_us},"test_id":{test.identity or _introduce(test, quote)}'
        f',"status":{quote(status)},"duration_us":{duration_us}{phases}{test.place}{error}}}\n'
    )


def start_of_step(at_us: int, step: OpenStep, quote: Quote = encode_basestring) -> str:
    return (
        f'{{"type":"step_start","at_us":{at_us}{_of_test(step.test, quote)},"step_name":{quote(step.name)}'
        f"{_place_of_step(step)}}}\n"
    )


def end_of_step(at_us: int, ended: EndedStep, quote: Quote = encode_basestring) -> str:
    step, status, duration_us = ended
    event_type = "" if step.event_type is None else f',"event_type":{quote(step.event_type)}'
    return (
        f'{{"type":"step_end","at_us":{at_us}{_of_test(step.test, quote)},"status":{quote(status)}'
        f',"duration_us":{duration_us},"step_name":{quote(step.name)}{event_type}{_place_of_step(step)}}}\n'
    )


def http_call(at_us: int, call: HttpCall, quote: Quote = encode_basestring) -> str:
    test, endpoint, method, status_code, duration_us, error = call
    line = (
        f'{{"type":"http_call","at_us":{at_us}{_of_test(test, quote)},"duration_us":{duration_us}'
        f',"endpoint":{quote(endpoint)},"method":{quote(method)}'
    )
    if status_code is not None:
        line += f',"status_code":{status_code}'
    if error is not None:
        line += f',"error":{quote(error)}'
    return line + "}\n"


def driver_command(at_us: int, call: DriverCommand, quote: Quote = encode_basestring) -> str:
    test, command, duration_us, target, retry_count, error = call
    line = (
        f'{{"type":"driver_command","at_us":{at_us}{_of_test(test, quote)},"duration_us":{duration_us}'
        f',"command":{quote(command)}'
    )
    if target is not None:
        line += f',"target":{quote(target)}'
    if retry_count:
        line += f',"retry_count":{retry_count}'
    if error is not None:
        line += f',"error":{quote(error)}'
    return line + "}\n"


def event(at_us: int, told: PerformanceEvent, quote: Quote = encode_basestring) -> str:
    if told.fault is not None:
        raise told.fault
    return f'{{"type":{quote(told.type)},"at_us":{at_us}{told.fields}}}\n'


def fields(values: Mapping[str, object]) -> str:
    """Encode fields of any type but those that are None. Numbers that are not finite become null."""
    return "".join(f',"{field}":{_any_value(value)}' for field, value in values.items() if value is not None)


def _any_value(value: object) -> str:
    if not isinstance(value, (int, float)):
        return quote_anything(value)
    if isinstance(value, int):
        return f"{value:d}"
    return repr(float(value)) if value - value == 0 else "null"


# The attempt that was last encoded: the next one is mostly of the same file. In a list, because to set an attribute of
# a class makes Python forget all that it knew of that class.
_latest = [RunningTest("", 1, None, 0)]
_latest[0].place = ""


def _of_test(test: RunningTest | None, quote: Quote) -> str:
    return "" if test is None else f',"test_id":{test.identity or _introduce(test, quote)}'


def _place_of_step(step: OpenStep) -> str:
    return f',"step_index":{step.index}' + (f',"depth":{step.depth}' if step.depth else "")


def _introduce(test: RunningTest, quote: Quote) -> str:
    """Fill in what each event of an attempt says of it, and returns, and what only its start and its end say."""
    latest = _latest[0]
    place = latest.place if test.where == latest.where else _place(test, quote)
    identity = quote(test.test_id)
    if test.attempt != 1:
        identity += f',"attempt":{test.attempt}'
    if test.framework is not None:
        identity += f',"framework":{quote(test.framework)}'
    test.place = place
    test.identity = identity
    _latest[0] = test
    return identity


def _place(test: RunningTest, quote: Quote) -> str:
    named = zip(("suite", "file", "worker"), test.where, strict=False)
    return "".join(f',"{name}":{quote(value)}' for name, value in named if value is not None)
