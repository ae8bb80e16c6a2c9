"""What became of requests whose answer was lost, and of jobs that nobody collected."""
