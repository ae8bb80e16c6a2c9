"""The backend contract, run against every backend that is installed."""

from pixelrouter.testing.contract import *  # noqa: F403  (the suite's tests are this file's)
