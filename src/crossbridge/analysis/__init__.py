"""What the data says: each analysis is a query in `database/queries`, a result type and a function.

Result types are what `--json` prints: field names are a promise, durations end in `_us`
(microseconds), moments are UTC.
"""
