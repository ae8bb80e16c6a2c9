"""The only code that sends: paid calls once, free calls with retries."""
