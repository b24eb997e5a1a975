package rvh

import (
	"math/big"
	"math/bits"
	"strings"
)

// A Scheme says how a node and a key get their score.
type Scheme string

// The schemes. Blake2b can have a secret; Murmur is many times as fast, and no defence against keys that
// were chosen.
const (
	Blake2b Scheme = "blake2b"
	Murmur  Scheme = "murmur"
)

// A Score is a number of 128 bits, of which Murmur's have the low 64.
type Score struct{ High, Low uint64 }

// Compare is below 0 if s is less than other, 0 if they are equal, and else above 0.
func (s Score) Compare(other Score) int {
	if s.High != other.High {
		return order(s.High < other.High)
	}
	if s.Low != other.Low {
		return order(s.Low < other.Low)
	}
	return 0
}

func order(less bool) int {
	if less {
		return -1
	}
	return 1
}

// String is the score in decimal digits.
func (s Score) String() string {
	high := new(big.Int).SetUint64(s.High)
	return high.Lsh(high, 64).Add(high, new(big.Int).SetUint64(s.Low)).String()
}

// Score is that of a node and a key; Murmur takes no secret.
func (s Scheme) Score(secret []byte, node string, key Key) Score {
	return newScorer(s, string(secret), node).score(newQuestion(s, key))
}

// Fraction is m, the whole number below 2^53 that the weighted score takes of a score.
func (s Scheme) Fraction(score Score) uint64 {
	if s == Murmur {
		return score.Low & (1<<53 - 1)
	}
	return score.High>>11 | 1
}

// A scorer is what does not depend on the key.
type scorer struct {
	hash  uint64  // Murmur
	state blake2b // Blake2b: the node's bytes are read
}

// A question is what does not depend on the node.
type question struct {
	scheme Scheme
	key    string
	hash   uint64 // Murmur
}

func newScorer(scheme Scheme, secret, node string) *scorer {
	if scheme == Murmur {
		return &scorer{hash: MurmurHash64A(node, NodeSeed)}
	}
	s := &scorer{state: newBlake2b(16, secret, "")}
	s.state.write(node)
	return s
}

func newQuestion(scheme Scheme, key Key) question {
	q := question{scheme: scheme, key: key.data}
	if scheme == Murmur {
		q.hash = MurmurHash64A(key.data, KeySeed)
	}
	return q
}

func (s *scorer) score(q question) Score {
	if q.scheme == Murmur {
		return Score{Low: Hash128to64(q.hash, s.hash)}
	}
	state := s.state
	state.write(q.key)
	h := state.sum()
	return Score{bits.ReverseBytes64(h[0]), bits.ReverseBytes64(h[1])}
}

// Digest256 is the hexadecimal BLAKE2b digest, of 32 bytes, of a message with a personalisation.
func Digest256(secret, person string, message ...string) string {
	const digits = "0123456789abcdef"
	d := newBlake2b(32, secret, person)
	for _, s := range message {
		d.write(s)
	}
	h := d.sum()
	var out strings.Builder
	for i := 0; i < 32; i++ {
		b := byte(h[i/8] >> (8 * (i % 8)))
		out.WriteByte(digits[b>>4])
		out.WriteByte(digits[b&15])
	}
	return out.String()
}
