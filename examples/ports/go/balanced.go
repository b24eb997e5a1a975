package rvh

import (
	"errors"
	"fmt"
	"math/big"
	"sort"
	"strconv"
)

// Shares is the load with which each node is full, exactly, of a total. The factor is the decimal number
// that it prints as.
func (s *NodeSet) Shares(factor float64, total *big.Rat) ([]*big.Rat, error) {
	all, ok := new(big.Rat).SetString(strconv.FormatFloat(factor, 'g', -1, 64))
	if !ok || all.Sign() <= 0 {
		return nil, fmt.Errorf("rvh: the load factor is %v, which has to be above 0", factor)
	}
	weights, sum := make([]*big.Rat, len(s.ids)), new(big.Rat)
	for i := range s.ids {
		weights[i] = big.NewRat(1, 1)
		if s.weights != nil {
			weights[i].SetFloat64(s.weights[i])
		}
		sum.Add(sum, weights[i])
	}
	all.Mul(all, total)
	all.Quo(all, sum)
	for _, w := range weights {
		w.Mul(w, all)
	}
	return weights, nil
}

// Capacities is how many of some keys each node takes at most.
func (s *NodeSet) Capacities(keys int, factor float64) ([]int, error) {
	shares, err := s.Shares(factor, big.NewRat(int64(keys), 1))
	if err != nil {
		return nil, err
	}
	capacities := make([]int, len(shares))
	for i, share := range shares {
		capacities[i] = keys
		if c := ceiling(share); c.IsInt64() && c.Int64() < int64(keys) {
			capacities[i] = int(c.Int64())
		}
	}
	return capacities, nil
}

// AssignBalanced gives each key a node, none of which gets more than the factor times its share. Without
// sizes each key counts 1.
func (s *NodeSet) AssignBalanced(keys []Key, factor float64, sizes *Sizes) ([]string, error) {
	if sizes == nil {
		of := ones(len(keys))
		sizes = &of
	}
	if len(sizes.exact) != len(keys) {
		return nil, fmt.Errorf("rvh: %d sizes for %d keys", len(sizes.exact), len(keys))
	}
	units := sizes.inUnits().exact
	total := new(big.Rat)
	for _, size := range units {
		total.Add(total, size)
	}
	shares, err := s.Shares(factor, total)
	if err != nil {
		return nil, err
	}
	nodes, err := s.matched(keys, units, shares)
	if err != nil {
		return nil, err
	}
	owners := make([]string, len(keys))
	for i, node := range nodes {
		owners[i] = s.ids[node]
	}
	return owners, nil
}

// matched is the stable matching: keys propose in the order of their ranking, and a node that holds its
// room without its last key lets that one go.
func (s *NodeSet) matched(keys []Key, sizes, room []*big.Rat) ([]int, error) {
	rankings := make([][]rank, len(keys))
	free := make([]int, len(keys))
	for i, key := range keys {
		rankings[i] = s.ranking(key)
		free[i] = i
	}
	asked := make([]int, len(keys))
	held := make([][]int, len(s.ids))
	load := make([]*big.Rat, len(s.ids))
	for node := range load {
		load[node] = new(big.Rat)
	}
	// above is the order of a node's keys, of which each asked for the node last.
	above := func(i, j int) bool {
		return rankings[i][asked[i]-1].higher(rankings[j][asked[j]-1], keys[i], keys[j], func() bool {
			if c := sizes[i].Cmp(sizes[j]); c != 0 {
				return c > 0
			}
			return i < j
		})
	}
	for len(free) > 0 {
		i := free[len(free)-1]
		free = free[:len(free)-1]
		if asked[i] == len(rankings[i]) {
			return nil, errors.New("rvh: the nodes have no room for all keys: the load factor has to be 1 or more")
		}
		node := rankings[i][asked[i]].node
		asked[i]++
		place := sort.Search(len(held[node]), func(at int) bool { return above(i, held[node][at]) })
		kept := append(held[node], 0)
		copy(kept[place+1:], kept[place:])
		kept[place] = i
		load[node].Add(load[node], sizes[i])
		for len(kept) > 0 {
			last := kept[len(kept)-1]
			without := new(big.Rat).Sub(load[node], sizes[last])
			if without.Cmp(room[node]) < 0 {
				break
			}
			load[node] = without
			kept = kept[:len(kept)-1]
			free = append(free, last)
		}
		held[node] = kept
	}
	nodes := make([]int, len(keys))
	for node, kept := range held {
		for _, i := range kept {
			nodes[i] = node
		}
	}
	return nodes, nil
}

// higher says whether one key is above another on a node that both have a rank on; equal decides between
// equal keys.
func (r rank) higher(other rank, key, otherKey Key, equal func() bool) bool {
	if r.weighted != other.weighted || r.score != other.score || key.data != otherKey.data {
		return r.above(other, key.data, otherKey.data)
	}
	return equal()
}
