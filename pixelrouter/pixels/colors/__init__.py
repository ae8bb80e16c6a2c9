"""The colours of finished art: how few, which, and how they are mixed."""
