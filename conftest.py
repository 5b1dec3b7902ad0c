"""What every test leaves as it found it."""

import resource
import signal

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes tells of the machine, not of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background ignores


@pytest.fixture(autouse=True)
def _memory():
    """A command bounds the memory of its process, which here is that of all tests, and of browsers
    that they start."""
    bounds = resource.getrlimit(resource.RLIMIT_DATA)
    yield
    resource.setrlimit(resource.RLIMIT_DATA, bounds)
