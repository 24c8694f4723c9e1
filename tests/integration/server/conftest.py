from uuid import uuid4

import pytest

from crossbridge.database.server import EmbeddedServer


@pytest.fixture
def data_dir(scratch):
    """A folder for a server of the test's own; it does not exist yet."""
    folder = scratch / uuid4().hex[:8]
    yield folder
    EmbeddedServer(folder).stop(immediate=True)
