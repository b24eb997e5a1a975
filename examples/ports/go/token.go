package rvh

import (
	"crypto/md5"
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/bits"
)

// A TokenHash gives the token of a key on a ring.
type TokenHash string

// The hashes of rings. A token of Murmur3 is signed: here it is the uint64 of its bits.
const (
	KetamaHash  TokenHash = "ketama"
	MD5         TokenHash = "md5"
	CRC32       TokenHash = "crc32"
	OneAtATime  TokenHash = "one_at_a_time"
	XXH64       TokenHash = "xxh64"
	Murmur3Hash TokenHash = "murmur3"
)

var tokenHashes = map[TokenHash]func(data string) uint64{
	KetamaHash: func(data string) uint64 {
		sum := md5.Sum([]byte(data))
		return uint64(binary.LittleEndian.Uint32(sum[:]))
	},
	MD5: func(data string) uint64 {
		sum := md5.Sum([]byte(data))
		return binary.BigEndian.Uint64(sum[:])
	},
	CRC32:       func(data string) uint64 { return uint64(crc32.ChecksumIEEE([]byte(data))) },
	OneAtATime:  oneAtATime,
	XXH64:       xxh64,
	Murmur3Hash: cassandraToken,
}

// Token is that of a key's bytes.
func (h TokenHash) Token(data []byte) uint64 { return tokenHashes[h](string(data)) }

// wide says whether a token has 64 bits, and not 32.
func (h TokenHash) wide() bool { return h == MD5 || h == XXH64 || h == Murmur3Hash }

func oneAtATime(data string) uint64 {
	var h uint32
	for _, b := range []byte(data) {
		h = (h + uint32(int8(b))) * 1025
		h ^= h >> 6
	}
	h *= 9
	h ^= h >> 11
	return uint64(h * 32769)
}

// cassandraToken is MurmurHash3_x64_128 as Cassandra has it: the last bytes enter with their sign.
func cassandraToken(data string) uint64 {
	const c1, c2 = 0x87c37b91114253d5, 0x4cf5ad432745937f
	if data == "" {
		return 1 << 63 // -2^63
	}
	length := uint64(len(data))
	var h1, h2 uint64
	for ; len(data) >= 16; data = data[16:] {
		h1 ^= bits.RotateLeft64(le64(data)*c1, 31) * c2
		h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
		h2 ^= bits.RotateLeft64(le64(data[8:])*c2, 33) * c1
		h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
	}
	var halves [2]uint64
	for i, b := range []byte(data) {
		halves[i/8] ^= uint64(int8(b)) << (8 * (i % 8))
	}
	h2 ^= bits.RotateLeft64(halves[1]*c2, 33) * c1
	h1 ^= bits.RotateLeft64(halves[0]*c1, 31) * c2
	h1, h2 = h1^length, h2^length
	h1 += h2
	h2 += h1
	token := mixed(h1) + mixed(h2)
	if token == 1<<63 {
		return math.MaxInt64
	}
	return token
}

func mixed(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// xxh64 is Yann Collet's XXH64 with the seed 0.
func xxh64(data string) uint64 {
	const (
		p1 uint64 = 0x9e3779b185ebca87
		p2 uint64 = 0xc2b2ae3d27d4eb4f
		p3 uint64 = 0x165667b19e3779f9
		p4 uint64 = 0x85ebca77c2b2ae63
		p5 uint64 = 0x27d4eb2f165667c5
	)
	round := func(h, block uint64) uint64 { return bits.RotateLeft64(h+block*p2, 31) * p1 }
	length := uint64(len(data))
	h := p5
	if length >= 32 {
		one, two := p1, p2
		lanes := [4]uint64{one + two, two, 0, -one}
		for ; len(data) >= 32; data = data[32:] {
			for i := range lanes {
				lanes[i] = round(lanes[i], le64(data[8*i:]))
			}
		}
		h = 0
		for i, lane := range lanes {
			h += bits.RotateLeft64(lane, [4]int{1, 7, 12, 18}[i])
		}
		for _, lane := range lanes {
			h = (h^round(0, lane))*p1 + p4
		}
	}
	h += length
	for ; len(data) >= 8; data = data[8:] {
		h = bits.RotateLeft64(h^round(0, le64(data)), 27)*p1 + p4
	}
	if len(data) >= 4 {
		h = bits.RotateLeft64(h^leTail(data[:4])*p1, 23)*p2 + p3
		data = data[4:]
	}
	for _, b := range []byte(data) {
		h = bits.RotateLeft64(h^uint64(b)*p5, 11) * p1
	}
	h = (h ^ h>>33) * p2
	h = (h ^ h>>29) * p3
	return h ^ h>>32
}
