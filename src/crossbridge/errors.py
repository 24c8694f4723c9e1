"""Every error a person may see: one line that says what happened, the value seen and the mend.

CrossbridgeError
├── ConfigError         a setting is wrong                              exit code 2
├── UsageError          the command cannot be carried out as asked      exit code 2
├── DatabaseError       the database answered, with a refusal           exit code 3
│   ├── SchemaError     the schema is missing, too old or too new
│   └── BadData         the rows sent cannot be stored, now or later
├── DatabaseUnreachable nobody answered, or nobody let us in            exit code 3
├── ServerError         the embedded server could not be run            exit code 3
└── GrafanaError        Grafana cannot be reached, or refused           exit code 3
"""

from __future__ import annotations


class CrossbridgeError(Exception):
    """The message is for people: it is printed as it stands, without a traceback."""

    exit_code = 1


class ConfigError(CrossbridgeError):
    exit_code = 2


class UsageError(CrossbridgeError):
    exit_code = 2


class AmbiguousRun(UsageError):
    """Several runs have ids that begin so."""


class DatabaseError(CrossbridgeError):
    exit_code = 3


class SchemaError(DatabaseError):
    pass


class BadData(DatabaseError):
    pass


class DatabaseUnreachable(CrossbridgeError):
    """`permanent` is true when waiting does not help: wrong password, no such database."""

    exit_code = 3

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class ServerError(CrossbridgeError):
    exit_code = 3


class GrafanaError(CrossbridgeError):
    exit_code = 3
