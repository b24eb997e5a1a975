package rvh

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"
)

// Integers says how a ring's system writes integer keys.
type Integers string

// How integers are written; without a word of it they are an error.
const (
	NoIntegers       Integers = ""
	IntegersText     Integers = "text"
	IntegersInt32BE  Integers = "int32_be"
	IntegersInt64BE  Integers = "int64_be"
	IntegersInt32LE  Integers = "int32_le"
	IntegersInt64LE  Integers = "int64_le"
	IntegersContract Integers = "contract" // eight bytes, as everywhere else
)

// Hit says which point a token has.
type Hit string

// The first at or after the token, the first after it, or the nearest.
const (
	HitPoint   Hit = "point"
	HitNext    Hit = "next"
	HitNearest Hit = "nearest"
)

// RingOptions are what a ring is besides its points.
type RingOptions struct {
	Hash     TokenHash
	Hit      Hit      // "" is HitPoint
	Integers Integers // "" refuses integer keys
	Tag      string   // two characters: what stands between them is hashed, as in "{}"
}

// A Point of a ring. A token of Murmur3 is the uint64 of its bits.
type Point struct {
	Token uint64
	Node  string
}

// A Ring gives a key to the node of the first point at or after its token. It never changes.
type Ring struct {
	options RingOptions
	points  []Point // ascending, the tokens of Murmur3 with their sign bit turned
	nodes   int
}

// NewRing is a ring of points, in any order, of which no two have one token.
func NewRing(points []Point, options RingOptions) (*Ring, error) {
	r, err := newRing(points, options)
	if err != nil {
		return nil, err
	}
	for i := range r.points[1:] {
		if r.points[i].Token == r.points[i+1].Token {
			return nil, fmt.Errorf("rvh: %q and %q have one token", r.points[i].Node, r.points[i+1].Node)
		}
	}
	return r, nil
}

// newRing keeps equal points, in the order in which they are given.
func newRing(points []Point, options RingOptions) (*Ring, error) {
	if len(points) == 0 {
		return nil, errors.New("rvh: a ring needs a point")
	}
	if tokenHashes[options.Hash] == nil {
		return nil, fmt.Errorf("rvh: no hash %q", options.Hash)
	}
	if len(options.Tag) != 0 && len(options.Tag) != 2 {
		return nil, fmt.Errorf("rvh: the tag %q has to be two characters", options.Tag)
	}
	if options.Hit == "" {
		options.Hit = HitPoint
	}
	r := &Ring{options: options, points: append([]Point(nil), points...)}
	ids := map[string]bool{}
	for i := range r.points {
		if !options.Hash.wide() && r.points[i].Token > math.MaxUint32 {
			return nil, fmt.Errorf("rvh: the token %d of %q has more than 32 bits", r.points[i].Token, r.points[i].Node)
		}
		r.points[i].Token ^= r.sign()
		ids[r.points[i].Node] = true
	}
	r.nodes = len(ids)
	sort.SliceStable(r.points, func(i, j int) bool { return r.points[i].Token < r.points[j].Token })
	return r, nil
}

// sign turns signed tokens into unsigned ones of the same order, and back.
func (r *Ring) sign() uint64 {
	if r.options.Hash == Murmur3Hash {
		return 1 << 63
	}
	return 0
}

// Points are the ring's, ascending; of equal ones the first counts.
func (r *Ring) Points() []Point {
	points := append([]Point(nil), r.points...)
	for i := range points {
		points[i].Token ^= r.sign()
	}
	return points
}

// Lookup gives the first k nodes of a key.
func (r *Ring) Lookup(key Key, k int) ([]string, error) {
	data, err := r.Hashed(key)
	if err != nil {
		return nil, err
	}
	return r.LookupToken(r.options.Hash.Token(data), k)
}

// LookupToken gives the first k nodes of a token.
func (r *Ring) LookupToken(token uint64, k int) ([]string, error) {
	if k < 1 || k > r.nodes {
		return nil, fmt.Errorf("rvh: %d nodes were asked for, and 1 to %d can be had", k, r.nodes)
	}
	seen := make(map[string]bool, k)
	var ids []string
	for at := r.find(token ^ r.sign()); len(ids) < k; at++ {
		if id := r.points[at%len(r.points)].Node; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// find is the place of a token's point, or the number of points if it is behind the last.
func (r *Ring) find(token uint64) int {
	first := func(after func(point uint64) bool) int {
		return sort.Search(len(r.points), func(i int) bool { return after(r.points[i].Token) })
	}
	if r.options.Hit == HitPoint {
		return first(func(point uint64) bool { return point >= token })
	}
	next := first(func(point uint64) bool { return point > token })
	if r.options.Hit == HitNext {
		return next
	}
	at := (next + len(r.points) - 1) % len(r.points)
	before, after := r.points[at].Token, r.points[next%len(r.points)].Token
	mask := uint64(math.MaxUint32)
	if r.options.Hash.wide() {
		mask = math.MaxUint64
	}
	if (token-before)&mask > (after-before)&mask/2 {
		return next
	}
	return at
}

// Hashed is what the ring hashes of a key.
func (r *Ring) Hashed(key Key) ([]byte, error) {
	switch {
	case key.kind == compositeKind:
		return nil, errors.New("rvh: a ring has no composite keys")
	case key.integer():
		return r.options.Integers.write(key)
	}
	data := key.data
	if tag := r.options.Tag; tag != "" {
		if start := strings.IndexByte(data, tag[0]); start >= 0 {
			if end := strings.IndexByte(data[start+1:], tag[1]); end > 0 {
				data = data[start+1 : start+1+end]
			}
		}
	}
	return []byte(data), nil
}

func (i Integers) write(key Key) ([]byte, error) {
	u, small := key.word(), key.kind == signedKind
	short := small && int64(u) == int64(int32(u))
	switch {
	case i == NoIntegers:
		return nil, fmt.Errorf("rvh: the key %s is an integer, and the ring was not told how its system writes those", key.digits())
	case i == IntegersText:
		return []byte(key.digits()), nil
	case i == IntegersContract:
		return []byte(key.data), nil
	case i == IntegersInt64BE && small:
		return binary.BigEndian.AppendUint64(nil, u), nil
	case i == IntegersInt64LE && small:
		return binary.LittleEndian.AppendUint64(nil, u), nil
	case i == IntegersInt32BE && short:
		return binary.BigEndian.AppendUint32(nil, uint32(u)), nil
	case i == IntegersInt32LE && short:
		return binary.LittleEndian.AppendUint32(nil, uint32(u)), nil
	}
	return nil, fmt.Errorf("rvh: the key %s cannot be written as %s", key.digits(), i)
}

// Hash is the ring's.
func (r *Ring) Hash() TokenHash { return r.options.Hash }
