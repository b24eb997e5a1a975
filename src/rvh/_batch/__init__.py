"""Answers for many keys: filled block by block on threads, a repeated key worked on once."""
