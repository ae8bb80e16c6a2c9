"""What was spent, for people and for spreadsheets: rows, CSV, and a page with charts."""
