package rvh

import (
	"fmt"
	"math/bits"
)

// Partition is the partition, from 0, that a key is in of 1 to 2^24.
func Partition(key Key, partitions uint32) uint32 {
	high, _ := bits.Mul64(MurmurHash64A(key.data, KeySeed), uint64(partitions))
	return uint32(high)
}

// A PartitionTable places partitions, and keys with them.
type PartitionTable struct {
	set        *NodeSet
	partitions uint32
	k          int
}

// NewPartitionTable has 1 to 2^24 partitions, each on k nodes.
func NewPartitionTable(set *NodeSet, partitions uint32, k int) (*PartitionTable, error) {
	if partitions < 1 || partitions > 1<<24 {
		return nil, fmt.Errorf("rvh: %d partitions, and 1 to 2^24 can be had", partitions)
	}
	if _, err := set.Select(Key{}, k); err != nil {
		return nil, err
	}
	return &PartitionTable{set, partitions, k}, nil
}

// Lookup gives the nodes of a key, best first.
func (t *PartitionTable) Lookup(key Key) []string {
	return t.Owners(Partition(key, t.partitions))
}

// Owners gives the nodes of a partition, best first.
func (t *PartitionTable) Owners(partition uint32) []string {
	return t.set.Ranking(Uint(uint64(partition)))[:t.k]
}

// Fingerprint is equal for tables that put every key on the same nodes.
func (t *PartitionTable) Fingerprint() string {
	return fmt.Sprintf("%s in %d partitions", t.set.Fingerprint(), t.partitions)
}
