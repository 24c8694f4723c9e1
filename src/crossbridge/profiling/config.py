"""Every setting, in one table, and the one place that reads them.

Precedence: argument, environment, `.env` in the project root, `crossbridge.yml`, default; the first found wins.
`spec/settings.json` is the same table for all languages; a test holds the two equal.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossbridge.errors import ConfigError
from crossbridge.profiling.models import ProfileConfig, StorageBackendType
from crossbridge.profiling.real import hyphened
from crossbridge.switch import FALSE, SWITCHES, find_project_root

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PASSWORD = "CROSSBRIDGE_DB_PASSWORD"  # noqa: S105  (the name of the variable)

LABELS_MAX_CHARS = 8000

_TRUE = frozenset({"1", "true", "yes", "on"})
_UNITS = {"": 1, "B": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}
# To compile an expression costs more than all readings of a start: none is used here.
_DIGITS = "0123456789"
_UUID_DIGITS = 32
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class Setting:
    """One row of the table: the variable, the key in crossbridge.yml, the field it fills, and how its text is read."""

    def __init__(self, name: str, yaml: str | None, field: str, read: Callable[[str, str], Any]) -> None:
        self.name = name
        self.yaml = yaml
        self.field = field
        self.read = read


def _bad(name: str, wanted: str, text: str) -> ConfigError:
    return ConfigError(f"{name} must be {wanted}, got {text!r}. Unset it to use the default.")


def _text(_name: str, text: str) -> str:
    return text


def _boolean(name: str, text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in FALSE:
        return False
    raise _bad(name, "true or false", text)


def _choice(*allowed: str) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if text.lower() in allowed:
            return text.lower()
        raise _bad(name, f"one of {', '.join(allowed)}", text)

    return read


def _backend(name: str, text: str) -> StorageBackendType:
    return StorageBackendType(_choice(*(backend.value for backend in StorageBackendType))(name, text))


def _is_digits(text: str) -> bool:
    return len(text) < 20 and text != "" and set(text) <= set(_DIGITS)  # noqa: PLR2004  (more fit no 64 bits)


def _integer(low: int, high: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        if _is_digits(text) and low <= int(text) <= high:
            return int(text)
        raise _bad(name, f"a whole number from {low} to {high}", text)

    return read


def _seconds(low: float, high: float) -> Callable[[str, str], float]:
    def read(name: str, text: str) -> float:
        whole, _, part = text.partition(".")
        if (
            _is_digits(whole or "0")
            and _is_digits(part or "0")
            and text[-1:] != "."
            and low <= float(text) <= high
        ):
            return float(text)
        raise _bad(name, f"a number of seconds from {low:g} to {high:g}", text)

    return read


def _bytes(low: int, high: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        unit = text.lstrip(_DIGITS)
        number = text.removesuffix(unit)
        size = int(number) * _UNITS.get(unit.strip().upper(), 0) if _is_digits(number) else 0
        if low <= size <= high:
            return size
        raise _bad(name, f"a size from {low} to {high} bytes (plain, or with KiB, MiB, GiB)", text)

    return read


def _uuid(name: str, text: str) -> str:
    digits = text.lower().replace("-", "")
    uuid = hyphened(digits)
    is_hex = len(digits) == _UUID_DIGITS and set(digits) <= set("0123456789abcdef")
    if not is_hex or text.lower() not in {digits, uuid}:
        raise _bad(name, "a UUID", text)
    return uuid


def _labels(name: str, text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    if len(text) > LABELS_MAX_CHARS:
        raise _bad(name, f"at most {LABELS_MAX_CHARS} characters", f"{text[:40]}...")
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise _bad(name, "labels as k=v,k=v", text)
        labels[key.strip()] = value.strip()
    return labels


def _path(_name: str, text: str) -> Path:
    return Path(os.path.expanduser(text))  # noqa: PTH111  (Path.expanduser raises where there is no home)


SETTINGS = (
    Setting("CROSSBRIDGE_PROFILING", "enabled", "enabled", _boolean),
    Setting("CROSSBRIDGE_PROFILING_ENABLED", "enabled", "enabled", _boolean),
    Setting("CROSSBRIDGE_PROFILING_BACKEND", "backend", "backend", _backend),
    Setting("CROSSBRIDGE_DB_HOST", "database.host", "postgres_host", _text),
    Setting("CROSSBRIDGE_DB_PORT", "database.port", "postgres_port", _integer(1, 65535)),
    Setting("CROSSBRIDGE_DB_NAME", "database.name", "postgres_database", _text),
    Setting("CROSSBRIDGE_DB_USER", "database.user", "postgres_user", _text),
    Setting(PASSWORD, None, "postgres_password", _text),
    Setting("CROSSBRIDGE_DB_SSLMODE", "database.sslmode", "postgres_sslmode", _choice(*_SSL_MODES)),
    Setting("CROSSBRIDGE_RUN_ID", None, "run_id", _uuid),
    Setting("CROSSBRIDGE_ENVIRONMENT", "environment", "environment", _text),
    Setting("CROSSBRIDGE_APP_VERSION", "app_version", "app_version", _text),
    Setting("CROSSBRIDGE_LABELS", "labels", "labels", _labels),
    Setting("CROSSBRIDGE_QUEUE_SIZE", "queue_size", "queue_size", _integer(100, 1_000_000)),
    Setting("CROSSBRIDGE_BATCH_SIZE", "batch_size", "batch_size", _integer(1, 5000)),
    Setting("CROSSBRIDGE_FLUSH_INTERVAL", "flush_interval", "flush_interval_s", _seconds(0.01, 60)),
    Setting("CROSSBRIDGE_SPOOL_DIR", "spool_dir", "spool_dir", _path),
    Setting("CROSSBRIDGE_SPOOL_MAX_BYTES", "spool_max_bytes", "spool_max_bytes", _bytes(1 << 16, 1 << 40)),
    Setting("CROSSBRIDGE_DB_POOL_MAX", "database.pool_max", "pool_max", _integer(1, 100)),
    Setting("CROSSBRIDGE_DRAIN_TIMEOUT", "drain_timeout", "drain_timeout_s", _seconds(0, 600)),
    Setting("CROSSBRIDGE_DATA_DIR", None, "data_dir", _path),
)


def load(environ: Mapping[str, str] | None = None, project_root: Path | None = None) -> ProfileConfig:
    """
    Read every setting once, from the environment and the project's files.

    Raises:
        ConfigError: A value is wrong, or a settings file cannot be read. The message names it, the value seen
            (never the password) and the mend.
    """
    try:
        root = find_project_root() if project_root is None else project_root
    except OSError as error:
        raise ConfigError(f"the working folder is not there ({error}). Start from one that is.") from error
    texts = settings_texts(os.environ if environ is None else environ, root)
    values: dict[str, Any] = {}
    switches: list[bool] = []
    for setting in SETTINGS:
        if (text := texts.get(setting.name, ("", ""))[0]) == "":
            continue
        value = setting.read(setting.name, text)
        if setting.field == "enabled":
            switches.append(value)
        else:
            values[setting.field] = value
    values["enabled"] = bool(switches) and all(switches)
    values.setdefault(
        "backend",
        StorageBackendType.POSTGRES if values.get("postgres_host") else StorageBackendType.LOCAL,
    )
    return ProfileConfig(project_root=root, **values)


def settings_texts(environ: Mapping[str, str], root: Path) -> dict[str, tuple[str, str]]:
    """Return the text of each setting that is set, with the place it was found in; the first place wins."""
    places: list[tuple[str, Mapping[str, str]]] = [("environment", environ)]
    if (dotenv_text := _file_text(root / ".env")) is not None:
        from crossbridge.profiling.dotenv import parse  # noqa: PLC0415  (most projects have none)

        places.append((".env", parse(dotenv_text)))
    if (yaml_text := _file_text(root / "crossbridge.yml")) is not None:
        from crossbridge.profiling.yaml_block import profiling_block  # noqa: PLC0415

        block = profiling_block(yaml_text)
        places.append(
            ("crossbridge.yml", {s.name: block[s.yaml] for s in SETTINGS if s.yaml and s.yaml in block})
        )
    found: dict[str, tuple[str, str]] = {}
    for place, values in places:
        switched = not found.keys().isdisjoint(SWITCHES)
        for name in (setting.name for setting in SETTINGS):
            text = values.get(name, "")
            if name != PASSWORD:
                text = text.strip()
            # The two switches are one setting: a place that sets either overrides both in the places behind it.
            if text and not (switched if name in SWITCHES else name in found):
                found[name] = (text, place)
    return found


def _file_text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):  # .env may be a virtual environment
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name} cannot be read ({error}). Mend or remove it.") from error


def check(config: ProfileConfig) -> None:
    """
    See that settings made in code are such as could have been read.

    Raises:
        ConfigError: One is not. The message is the one it would have had in the environment.
    """
    environ = to_environ(config)
    for setting in SETTINGS:
        if text := environ.get(setting.name):
            value = setting.read(setting.name, text)
            if setting.field == "labels" and value != config.labels:
                raise _bad(setting.name, "labels without comma or equals sign", text)


def to_environ(config: ProfileConfig) -> dict[str, str]:
    """Return the settings as the variables that `load` reads them from, for a process started on their behalf."""
    environ: dict[str, str] = {}
    for setting in SETTINGS:
        value = getattr(config, setting.field)
        if value is None or value == {}:
            continue
        if isinstance(value, dict):
            value = ",".join(f"{key}={text}" for key, text in value.items())
        elif isinstance(value, bool):
            value = str(value).lower()
        elif isinstance(value, StorageBackendType):
            value = value.value
        environ[setting.name] = str(value)
    environ["CROSSBRIDGE_SPOOL_DIR"] = str(config.spool_path)
    return environ


def environment_name(config: ProfileConfig, environ: Mapping[str, str]) -> str:
    """Return the name of the environment under test: as set, else `ci` or `local`."""
    if config.environment:
        return config.environment
    return "ci" if environ.get("CI", "").lower() not in {"", "0", "false"} else "local"
