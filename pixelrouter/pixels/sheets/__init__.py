"""Sheets: pictures cut apart, put in register and packed together."""
