"""A game's build: a manifest of assets, a lock of what was bought and picked, and everything an engine loads."""
