"""Money on disk: the ledger, the price list, the budgets."""
