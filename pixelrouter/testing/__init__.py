"""For people who use pixelrouter: simulators of the vendors, to test against without keys or money."""
