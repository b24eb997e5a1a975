"""What a running process asks of code: signals answered in time, locks that survive a fork."""
