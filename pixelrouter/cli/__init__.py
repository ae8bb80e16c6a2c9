"""The command line: thin commands over the router, one file a command group."""

from pixelrouter.cli.app import main

__all__ = ["main"]
