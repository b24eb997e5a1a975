package rvh

import (
	"encoding/binary"
	"math/bits"
)

// blake2b is BLAKE2b of RFC 7693. It is a plain value: a copy of one that has read a node's bytes goes on
// to read a key's.
type blake2b struct {
	h      [8]uint64
	buf    [128]byte
	n      int    // bytes in buf
	length uint64 // bytes before buf
}

var iv = [8]uint64{
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
}

var sigma = [10][16]uint8{
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
	{7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
	{2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
	{13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
	{10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
}

// newBlake2b has a digest of size bytes; the secret has at most 64, the personalisation 16.
func newBlake2b(size int, secret, person string) blake2b {
	d := blake2b{h: iv}
	d.h[0] ^= 0x01010000 ^ uint64(len(secret))<<8 ^ uint64(size)
	var padded [16]byte
	copy(padded[:], person)
	d.h[6] ^= binary.LittleEndian.Uint64(padded[:8])
	d.h[7] ^= binary.LittleEndian.Uint64(padded[8:])
	if secret != "" {
		copy(d.buf[:], secret)
		d.n = len(d.buf)
	}
	return d
}

func (d *blake2b) write(s string) {
	for s != "" {
		if d.n == len(d.buf) { // a full block waits: the last one is marked as such
			d.length += uint64(d.n)
			d.compress(0)
			d.n = 0
		}
		n := copy(d.buf[d.n:], s)
		d.n += n
		s = s[n:]
	}
}

// sum ends the message; the digest is the first bytes of the eight words, little-endian.
func (d *blake2b) sum() [8]uint64 {
	d.length += uint64(d.n)
	for i := d.n; i < len(d.buf); i++ {
		d.buf[i] = 0
	}
	d.compress(^uint64(0))
	return d.h
}

// compress mixes in the block; last is all ones for the last one.
func (d *blake2b) compress(last uint64) {
	var m [16]uint64
	for i := range m {
		m[i] = binary.LittleEndian.Uint64(d.buf[8*i:])
	}
	v0, v1, v2, v3, v4, v5, v6, v7 := d.h[0], d.h[1], d.h[2], d.h[3], d.h[4], d.h[5], d.h[6], d.h[7]
	v8, v9, v10, v11 := iv[0], iv[1], iv[2], iv[3]
	v12, v13, v14, v15 := iv[4]^d.length, iv[5], iv[6]^last, iv[7]
	for round := 0; round < 12; round++ {
		s := &sigma[round%10]
		v0, v4, v8, v12 = mix(v0, v4, v8, v12, m[s[0]&15], m[s[1]&15])
		v1, v5, v9, v13 = mix(v1, v5, v9, v13, m[s[2]&15], m[s[3]&15])
		v2, v6, v10, v14 = mix(v2, v6, v10, v14, m[s[4]&15], m[s[5]&15])
		v3, v7, v11, v15 = mix(v3, v7, v11, v15, m[s[6]&15], m[s[7]&15])
		v0, v5, v10, v15 = mix(v0, v5, v10, v15, m[s[8]&15], m[s[9]&15])
		v1, v6, v11, v12 = mix(v1, v6, v11, v12, m[s[10]&15], m[s[11]&15])
		v2, v7, v8, v13 = mix(v2, v7, v8, v13, m[s[12]&15], m[s[13]&15])
		v3, v4, v9, v14 = mix(v3, v4, v9, v14, m[s[14]&15], m[s[15]&15])
	}
	for i, x := range [8]uint64{v0 ^ v8, v1 ^ v9, v2 ^ v10, v3 ^ v11, v4 ^ v12, v5 ^ v13, v6 ^ v14, v7 ^ v15} {
		d.h[i] ^= x
	}
}

func mix(a, b, c, d, x, y uint64) (uint64, uint64, uint64, uint64) {
	a += b + x
	d = bits.RotateLeft64(d^a, -32)
	c += d
	b = bits.RotateLeft64(b^c, -24)
	a += b + y
	d = bits.RotateLeft64(d^a, -16)
	c += d
	b = bits.RotateLeft64(b^c, -63)
	return a, b, c, d
}
