"""Many files at once, on every core or on a cluster."""
