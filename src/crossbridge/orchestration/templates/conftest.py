import pytest


@pytest.fixture(scope="session", autouse=True)
def crossbridge_profiling():
    """CrossBridge's collector. Its settings are in the environment, .env or crossbridge.yml."""
    try:
        from crossbridge.profiling.collector import MetricsCollector

        collector = MetricsCollector.get_instance()
    except Exception:  # not installed, or a wrong setting, of which the plugin tells
        yield None
        return
    started = collector.start(framework="pytest")
    yield collector
    if started:
        collector.shutdown()
