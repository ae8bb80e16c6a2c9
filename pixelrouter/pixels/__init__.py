"""The post-processor: from whatever a vendor returned to real pixel art. Pure functions, no network."""
