"""A test's stand-in for every vendor: the real engine and ledger, over backends that draw here and charge nobody."""
