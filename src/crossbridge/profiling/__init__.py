"""The part of CrossBridge that lives in a test process.

No module here that a hook imports starts a thread, opens a socket, logs, or imports anything beyond the standard
library. `shipper`, `storage`, `spool` and `delivery` are the exception: they run in a process of their own.

PYTEST_DONT_REWRITE
"""
