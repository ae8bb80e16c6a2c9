"""What every backend promises, held against this one."""

from pixelrouter.testing.contract import *  # noqa: F403  (the contract's tests are this file's)
