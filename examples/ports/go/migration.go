package rvh

import (
	"math"
	"math/bits"
)

// Crossing is when a key crosses in a migration, times 2^64.
func Crossing(key Key) uint64 { return MurmurHash64A(key.data, KeySeed) }

// Crossed says whether a key has crossed at a progress from 0 to 1.
func Crossed(key Key, progress float64) bool {
	limit := math.Ceil(math.Ldexp(progress, 64))
	return limit >= 0x1p64 || Crossing(key) < uint64(limit)
}

// Step is the step, from 0, of a plan of so many in which a key is copied.
func Step(key Key, steps uint64) uint64 {
	high, _ := bits.Mul64(Crossing(key), steps)
	return high
}

// A Move is a copy of a key from one node to another.
type Move struct{ From, To string }

// Moves are the copies of a key that was on the old nodes and will be on the new ones, both best first.
func Moves(old, new []string) []Move {
	has := func(ids []string, id string) bool {
		for _, other := range ids {
			if other == id {
				return true
			}
		}
		return false
	}
	var lose, stay []string
	for _, id := range old {
		if has(new, id) {
			stay = append(stay, id)
		} else {
			lose = append(lose, id)
		}
	}
	sources := append(lose, stay...)
	var moves []Move
	for _, id := range new {
		if !has(old, id) {
			moves = append(moves, Move{sources[len(moves)%len(sources)], id})
		}
	}
	return moves
}
