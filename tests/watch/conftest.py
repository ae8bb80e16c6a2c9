"""Vendors' simulators, as the tests of the money promises have them."""

from tests.routing.conftest import shops as shops
