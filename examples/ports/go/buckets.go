package rvh

import "math/bits"

// Word is the number by which a key is in its bucket: an integer's own bits, else a hash.
func Word(key Key) uint64 {
	if key.integer() {
		return key.word()
	}
	d := newBlake2b(16, "", "")
	d.write(key.data)
	return bits.ReverseBytes64(d.sum()[0])
}

// Jump is the bucket of a word by the jump hash of Lamping and Veach, of count, which is 1 or more.
func Jump(word uint64, count int32) int32 {
	bucket, jumped := int64(-1), int64(0)
	for jumped < int64(count) {
		bucket = jumped
		word = word*2862933555777941757 + 1
		jumped = int64(float64(bucket+1) * (float64(1<<31) / float64(word>>33+1)))
	}
	return int32(bucket)
}

// JumpBack is the bucket of a word by Ertl's JumpBackHash over SplitMix64, of count, which is 1 or more.
func JumpBack(word uint64, count int32) int32 {
	drawn := uint64(1)
	first := SplitMix64(word, drawn)
	mask := (first ^ first>>32) & (1<<bits.Len32(uint32(count-1)) - 1)
	for mask != 0 {
		b := uint64(1) << (bits.Len64(mask) - 1)
		by := 32 * (bits.OnesCount64(mask) % 2)
		bucket := b + first>>by&(b-1)
		var more uint64
		for try := 0; bucket >= b; try++ {
			if bucket < uint64(count) {
				return int32(bucket)
			}
			if try%2 == 0 {
				drawn++
				more = SplitMix64(word, drawn)
			} else {
				more >>= 32
			}
			bucket = more & (2*b - 1)
		}
		mask ^= b
	}
	return 0
}

// Distinct gives k distinct buckets of count, 1 <= k <= count; the first is Jump's.
func Distinct(word uint64, count int32, k int) []int32 {
	seen := make(map[int32]bool, k)
	var buckets []int32
	for attempt := uint64(0); len(buckets) < k; attempt++ {
		w := word
		if attempt > 0 {
			w = SplitMix64(word, attempt)
		}
		if bucket := Jump(w, count); !seen[bucket] {
			seen[bucket] = true
			buckets = append(buckets, bucket)
		}
	}
	return buckets
}
