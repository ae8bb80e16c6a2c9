"""``python -m pixelrouter`` is the command line."""

from pixelrouter.cli import main

if __name__ == "__main__":
    main()
