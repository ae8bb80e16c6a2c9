"""What a request will cost, and what a bill means for the books."""
