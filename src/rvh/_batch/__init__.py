"""Answers for many keys: computed block by block on threads, once for each repeated key."""
