"""The pure-Python twin of FarmHash's Fingerprint64."""

from __future__ import annotations

from rvh._backend.pure.schemes import WORD

__all__ = ["farm_fingerprint64"]

K0 = 0xC3A5C85C97CB3127
K1 = 0xB492B66FBE98F273
K2 = 0x9AE16A3B2F90404F


def _rotr(x: int, n: int) -> int:
    x &= WORD
    return (x >> n | x << 64 - n) & WORD


def _shift_mix(x: int) -> int:
    x &= WORD
    return x ^ x >> 47


def _pair(u: int, v: int, mul: int) -> int:
    a = _shift_mix((u ^ v) * mul)
    return _shift_mix((v ^ a) * mul) * mul & WORD


def _up_to_16(key: bytes, mul: int) -> int:
    size = len(key)
    if size >= 8:
        a, b = _at(key, 0) + K2, _at(key, size - 8)
        return _pair(_rotr(b, 37) * mul + a, (_rotr(a, 25) + b) * mul, mul)
    if size >= 4:
        first, last = int.from_bytes(key[:4], "little"), int.from_bytes(key[-4:], "little")
        return _pair(size + (first << 3), last, mul)
    if size == 0:
        return K2
    y, z = key[0] + (key[size // 2] << 8), size + (key[-1] << 2)
    return _shift_mix(y * K2 ^ z * K0) * K2 & WORD


def _at(key: bytes, offset: int) -> int:
    return int.from_bytes(key[offset : offset + 8], "little")


def _half_block(key: bytes, offset: int, a: int, b: int) -> tuple[int, int]:
    words = [_at(key, offset + 8 * n) for n in range(4)]
    a += words[0]
    b = _rotr(b + a + words[3], 21)
    c = a
    a += words[1] + words[2]
    return a + words[3] & WORD, b + _rotr(a, 44) + c & WORD


def farm_fingerprint64(key: bytes) -> int:
    """Fingerprint64 by Geoff Pike (https://github.com/google/farmhash, farmhashna).

    Examples
    --------
    >>> farm_fingerprint64(b"foo")
    6150913649986995171
    """
    size = len(key)
    mul = K2 + size * 2
    if size <= 16:
        return _up_to_16(key, mul)
    if size <= 64:
        a, b = _at(key, 0) * (K1 if size <= 32 else K2), _at(key, 8)
        c, d = _at(key, size - 8) * mul, _at(key, size - 16) * K2
        y, z = _rotr(a + b, 43) + _rotr(c, 30) + d, a + _rotr(b + K2, 18) + c
        if size <= 32:
            return _pair(y, z, mul)
        z = _pair(y, z, mul)
        e, f = _at(key, 16) * mul, _at(key, 24)
        g, h = (y + _at(key, size - 32)) * mul, (z + _at(key, size - 24)) * mul
        return _pair(_rotr(e + f, 43) + _rotr(g, 30) + h, e + _rotr(f + a, 18) + g, mul)
    whole = (size - 1) // 64 * 64
    x, y = 81 * K2 + _at(key, 0), 81 * K1 + 113
    z = _shift_mix(y * K2 + 113) * K2
    v, w = (0, 0), (0, 0)

    def block(offset: int, mul: int, more: int) -> None:
        nonlocal x, y, z, v, w
        x = _rotr(x + y + v[0] + _at(key, offset + 8), 37) * mul ^ w[1] * more
        y = _rotr(y + v[1] + _at(key, offset + 48), 42) * mul + v[0] * more + _at(key, offset + 40)
        z = _rotr(z + w[0], 33) * mul
        v, w = (
            _half_block(key, offset, v[1] * mul, x + w[0]),
            _half_block(key, offset + 32, z + w[1], y + _at(key, offset + 16)),
        )
        x, z = z & WORD, x & WORD
        y &= WORD

    for offset in range(0, whole, 64):
        block(offset, K1, 1)
    mul = K1 + ((z & 0xFF) << 1)
    w = w[0] + size - whole - 1, w[1]
    v = v[0] + w[0], v[1]
    w = w[0] + v[0], w[1]
    block(size - 64, mul, 9)
    first = _pair(v[0], w[0], mul) + _shift_mix(y) * K0 + z
    return _pair(first & WORD, _pair(v[1], w[1], mul) + x & WORD, mul)
