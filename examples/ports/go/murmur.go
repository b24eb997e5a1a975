package rvh

// The seeds of MurmurHash64A: for keys, partitions and crossings, and for nodes.
const (
	KeySeed  uint64 = 2718281828
	NodeSeed uint64 = 4193360111
)

// MurmurHash64A is Austin Appleby's, reading little-endian on every machine.
func MurmurHash64A(data string, seed uint64) uint64 {
	const multiplier = 0xc6a4a7935bd1e995
	h := seed ^ uint64(len(data))*multiplier
	for ; len(data) >= 8; data = data[8:] {
		block := le64(data) * multiplier
		block = (block ^ block>>47) * multiplier
		h = (h ^ block) * multiplier
	}
	if data != "" {
		h = (h ^ leTail(data)) * multiplier
	}
	h = (h ^ h>>47) * multiplier
	return h ^ h>>47
}

// Hash128to64 is CityHash's, of a low and a high half.
func Hash128to64(low, high uint64) uint64 {
	const multiplier = 0x9ddfea08eb382d69
	a := (low ^ high) * multiplier
	a ^= a >> 47
	b := (high ^ a) * multiplier
	b ^= b >> 47
	return b * multiplier
}

// SplitMix64 is that generator's output of a number, from 1, after a seed.
func SplitMix64(seed, number uint64) uint64 {
	z := seed + number*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
