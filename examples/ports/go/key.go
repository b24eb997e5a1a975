package rvh

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
)

type kind uint8

const (
	binaryKind kind = iota
	textKind
	signedKind
	unsignedKind // an integer above the largest int64
	compositeKind
)

// A Key is what is placed: text, bytes, an integer, a UUID or a composite of those. Keys can be compared
// by ==, which tells Text("a") from Bytes([]byte("a")), though both are placed alike. The zero Key is the
// empty key of bytes.
type Key struct {
	kind kind
	data string
}

// Text is a key of text. A string that is not UTF-8 is placed as its bytes.
func Text(s string) Key { return Key{textKind, s} }

// Bytes is a key of bytes.
func Bytes(b []byte) Key { return Key{binaryKind, string(b)} }

// Int is an integer key: eight bytes, little-endian, whatever the width that it had before.
func Int(i int64) Key { return Key{signedKind, little64(uint64(i))} }

// Uint is an integer key. Int(-1) and Uint(1<<64 - 1) have one placement.
func Uint(u uint64) Key {
	if u > math.MaxInt64 {
		return Key{unsignedKind, little64(u)}
	}
	return Int(int64(u))
}

// UUID is the key of a UUID, which is that of its text.
func UUID(u [16]byte) Key {
	s := hex.EncodeToString(u[:])
	return Text(s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:])
}

// Compose is the composite key of some parts, none of which is a composite key itself.
func Compose(parts ...Key) (Key, error) {
	if len(parts) == 0 {
		return Key{}, errors.New("rvh: a composite key needs a part")
	}
	var data []byte
	for i, part := range parts {
		switch {
		case part.kind == compositeKind:
			return Key{}, fmt.Errorf("rvh: part %d of a composite key is a composite key", i)
		case uint64(len(part.data)) > math.MaxUint32:
			return Key{}, fmt.Errorf("rvh: part %d of a composite key has 2^32 bytes or more", i)
		case !part.integer():
			data = binary.LittleEndian.AppendUint32(data, uint32(len(part.data)))
		}
		data = append(data, part.data...)
	}
	return Key{compositeKind, string(data)}, nil
}

// Bytes are what is hashed.
func (k Key) Bytes() []byte { return []byte(k.data) }

func (k Key) integer() bool { return k.kind == signedKind || k.kind == unsignedKind }

// word is an integer key's 64 bits.
func (k Key) word() uint64 { return le64(k.data) }

// digits are an integer key's, in decimal.
func (k Key) digits() string {
	if k.kind == unsignedKind {
		return strconv.FormatUint(k.word(), 10)
	}
	return strconv.FormatInt(int64(k.word()), 10)
}

func little64(u uint64) string {
	return string(binary.LittleEndian.AppendUint64(nil, u))
}

// le64 reads the first eight bytes of s.
func le64(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// leTail reads up to eight bytes, those that are missing being 0.
func leTail(s string) (u uint64) {
	for i := range []byte(s) {
		u |= uint64(s[i]) << (8 * i)
	}
	return u
}
