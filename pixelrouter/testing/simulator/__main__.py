"""Run a vendor simulator by hand: ``python -m pixelrouter.testing.simulator retrodiffusion``.

One line on stdout says where it is, the URL first; then it runs until Ctrl-C or SIGTERM, and exits with 0.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from pixelrouter.testing.simulator import simulator_of, vendors
from pixelrouter.testing.simulator.faults import Faults


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pixelrouter.testing.simulator",
        description="A vendor's API on this machine: no key, no money. It counts what it would have charged.",
        epilog=f"Faults: {', '.join(name.replace('_', '-') for name in Faults)}.",
    )
    parser.add_argument("vendor", choices=vendors(), help="which vendor to be")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: this machine only)")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--balance", default="10", metavar="USD", help="the account's money (default: 10)")
    parser.add_argument("--key", action="append", metavar="TOKEN", help="a token it accepts; may be given again")
    parser.add_argument("--job-seconds", type=float, default=0.0, metavar="S", help="how long a job takes (default: 0)")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME[:TIMES]", help="misbehave on the next matching requests"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop. Returns the exit status: 0, or 1 where the port cannot be had; 2 for a wrong option."""
    parser = _parser()
    options = parser.parse_args(argv)
    kind: Any = simulator_of(options.vendor)  # every simulator takes these arguments, and its own beside them
    keys = tuple(options.key or kind.default_keys)
    try:
        simulator = kind(
            balance=options.balance,
            keys=keys,
            job_seconds=options.job_seconds,
            host=options.host,
            port=options.port,
        )
    except (OSError, OverflowError) as error:
        print(f"cannot listen on {options.host} port {options.port}: {error}", file=sys.stderr)
        return 1
    except ValueError as error:
        parser.error(f"--balance: {error}")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with simulator:
        try:
            for text in options.fault:
                name, _, times = text.partition(":")
                simulator.fault(name.replace("-", "_"), int(times or 1))
        except ValueError as error:
            parser.error(f"--fault: {error}")
        print(
            f"{simulator.url} is a {options.vendor} simulator. In pixelrouter.toml: [backends.{options.vendor}] "
            f'base_url = "{simulator.url}"; in the environment: {kind.key_variable}={keys[0]}',
            flush=True,
        )
        # A wait without an end cannot be interrupted on every system.
        while not stop.wait(0.5):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
