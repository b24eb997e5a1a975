"""Node lists: ids, weights and attributes from files of nodes, each checked where it stands.

Plain text may have been meant as something else, so there an id is refused that looks like it;
JSON, Parquet and Arrow say what they mean and are taken to the letter.
"""
