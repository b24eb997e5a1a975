"""The names that both backends share with their callers: functions, schemes, kinds of points."""

from __future__ import annotations

__all__ = [
    "ALPHABET",
    "BACKENDS",
    "HASHES",
    "LONGEST",
    "NAMES",
    "PARTS",
    "POINTS",
    "SCHEMES",
    "SYSTEMS",
]

#: the backends, and the module of each
BACKENDS = {"native": "rvh._backend._native", "python": "rvh._backend.pure"}

#: the functions and classes of each backend
NAMES = (
    "Cache",
    "Cancel",
    "Matching",
    "Prefixes",
    "PreparedNodes",
    "RingPoints",
    "Selector",
    "ascending",
    "chain_point",
    "chain_points",
    "compose",
    "decode_batch",
    "decode_flat_batch",
    "decode_key",
    "distinct",
    "isa_active",
    "isa_available",
    "jump",
    "jump_one",
    "jumpback",
    "jumpback_one",
    "key_point",
    "key_points",
    "lookup",
    "lookup_one",
    "neg_log",
    "object_members",
    "object_values",
    "pack",
    "rank_scores",
    "whole_rows",
)

#: the scoring schemes; a scheme never changes, so it needs no version
SCHEMES = ("blake2b", "murmur")

#: the hashes of rings, with the lowest and the highest token of each
HASHES: dict[str, tuple[int, int]] = {
    "ketama": (0, 2**32 - 1),
    "md5": (0, 2**64 - 1),
    "crc32": (0, 2**32 - 1),
    "murmur3": (-(2**63), 2**63 - 1),
    "xxh64": (0, 2**64 - 1),
    "one_at_a_time": (0, 2**32 - 1),
    "nutcracker_crc16": (0, 2**32 - 1),
    "hashkit_crc32": (0, 2**32 - 1),
    "hashkit_fnv1_32": (0, 2**32 - 1),
    "hashkit_fnv1a_32": (0, 2**32 - 1),
    "hashkit_fnv1_64": (0, 2**32 - 1),
    "hashkit_fnv1a_64": (0, 2**32 - 1),
    "hashkit_hsieh": (0, 2**32 - 1),
    "hashkit_murmur": (0, 2**32 - 1),
    "hashkit_jenkins": (0, 2**32 - 1),
    "sdbm": (0, 2**32 - 1),
    "djb2": (0, 2**32 - 1),
    "wt6": (0, 2**32 - 1),
    "sdbm_avalanche": (0, 2**32 - 1),
    "djb2_avalanche": (0, 2**32 - 1),
    "wt6_avalanche": (0, 2**32 - 1),
    "crc32_avalanche": (0, 2**32 - 1),
}

#: the kinds of points of keys, with their bits: the hashes of rings, the last 8 bytes of MD5,
#: MurmurHash64A, a geohash as a number, and hashes that other systems place keys by
POINTS: dict[str, int] = {
    **{name: (highest - lowest).bit_length() for name, (lowest, highest) in HASHES.items()},
    "md5_low": 64,
    "murmur2": 64,
    "geohash": 64,
    "murmur2_32": 32,
    "xxh64_1": 64,
    "crc16": 16,
    "hashkit_crc32_or_1": 32,
    "fnv1a_32": 32,
    "farm_fingerprint64": 64,
    "murmur2_64": 64,
    "code_points": 64,
}

#: the systems whose hash of typed columns is known, and the kinds of their columns; C has the
#: same in the same order
SYSTEMS = ("spark", "iceberg", "hive1", "hive2", "postgresql", "elasticsearch")
PARTS = ("null", "int8", "int16", "int32", "int64", "bytes", "text")

#: the characters of geohashes, five bits each (https://en.wikipedia.org/wiki/Geohash)
ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"
#: the characters of the longest geohash: a cell of 37 mm by 19 mm at the equator
LONGEST = 12
