package rvh

import (
	"fmt"
	"math/big"
	"sort"
	"sync"
)

// An Assigner holds keys on nodes, none of which gets more than the factor times its share, and moves few
// of them when nodes change. It may be used by many goroutines.
type Assigner struct {
	mutex  sync.Mutex
	set    *NodeSet
	factor float64
	held   map[string]*holding // by the bytes of the key
}

type holding struct {
	key   Key
	node  string
	size  *big.Rat
	whole bool // came as a whole number of units of 1 or more
}

// A Moved key has left one node for another.
type Moved struct {
	Key      Key
	From, To string
}

// NewAssigner holds no keys yet; the factor is 1 or more.
func NewAssigner(set *NodeSet, factor float64) (*Assigner, error) {
	if !(factor >= 1) {
		return nil, fmt.Errorf("rvh: the load factor of an assigner is %v, which has to be 1 or more", factor)
	}
	if _, err := set.Shares(factor, new(big.Rat)); err != nil {
		return nil, err
	}
	return &Assigner{set: set, factor: factor, held: map[string]*holding{}}, nil
}

// Assign gives each key its node. Keys that are held stay, and with their size.
func (a *Assigner) Assign(keys []Key, sizes *Sizes) ([]string, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if sizes == nil {
		of := ones(len(keys))
		sizes = &of
	}
	if len(sizes.exact) != len(keys) {
		return nil, fmt.Errorf("rvh: %d sizes for %d keys", len(sizes.exact), len(keys))
	}
	units := sizes.inUnits()
	var come []*holding
	first := map[string]int{}
	for i, key := range keys {
		if at, met := first[key.data]; met && sizes.exact[at].Cmp(sizes.exact[i]) != 0 {
			return nil, fmt.Errorf("rvh: keys %d and %d are the same, and have two sizes", at, i)
		} else if !met && a.held[key.data] == nil {
			come = append(come, &holding{key: key, size: units.exact[i], whole: units.whole})
		}
		first[key.data] = i
	}
	if err := a.match(come); err != nil {
		return nil, err
	}
	owners := make([]string, len(keys))
	for i, key := range keys {
		owners[i] = a.held[key.data].node
	}
	return owners, nil
}

// Release takes keys off.
func (a *Assigner) Release(keys []Key) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, key := range keys {
		delete(a.held, key.data)
	}
}

// Update takes another set; the keys of nodes that left it get others.
func (a *Assigner) Update(set *NodeSet) ([]Moved, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.set = set
	var homeless []*holding
	for _, h := range a.held {
		if _, known := set.position[h.node]; !known {
			homeless = append(homeless, h)
		}
	}
	return a.moved(homeless)
}

// Rebalance takes keys off nodes that hold more than their share.
func (a *Assigner) Rebalance() ([]Moved, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	loads, total := a.loads()
	full, err := a.set.Shares(a.factor, total)
	if err != nil {
		return nil, err
	}
	var off []*holding
	for node, id := range a.set.ids {
		kept := a.on(id)
		largest := new(big.Rat)
		for _, h := range kept {
			if h.size.Cmp(largest) > 0 {
				largest = h.size
			}
		}
		if len(kept) == 0 || new(big.Rat).Sub(loads[node], largest).Cmp(full[node]) < 0 {
			continue
		}
		before := new(big.Rat)
		for i, h := range kept {
			if before.Cmp(full[node]) >= 0 {
				off = append(off, kept[i:]...)
				break
			}
			before.Add(before, h.size)
		}
	}
	return a.moved(off)
}

// Loads is what each node of the set holds.
func (a *Assigner) Loads() []*big.Rat {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	loads, _ := a.loads()
	return loads
}

func (a *Assigner) loads() (loads []*big.Rat, total *big.Rat) {
	total = new(big.Rat)
	for range a.set.ids {
		loads = append(loads, new(big.Rat))
	}
	for _, h := range a.held {
		total.Add(total, h.size)
		if node, known := a.set.position[h.node]; known {
			loads[node].Add(loads[node], h.size)
		}
	}
	return loads, total
}

// on is the keys of a node, the highest on it first.
func (a *Assigner) on(id string) (keys []*holding) {
	var ranks []rank
	for _, h := range a.held {
		if h.node == id {
			keys = append(keys, h)
		}
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i].key.data < keys[j].key.data })
	for _, h := range keys {
		ranks = append(ranks, a.set.rank(a.set.position[id], newQuestion(a.set.scheme, h.key)))
	}
	sort.Sort(sort.Reverse(byRank{keys, ranks}))
	return keys
}

type byRank struct {
	keys  []*holding
	ranks []rank
}

func (b byRank) Len() int { return len(b.keys) }
func (b byRank) Less(i, j int) bool {
	return b.ranks[j].above(b.ranks[i], b.keys[j].key.data, b.keys[i].key.data)
}
func (b byRank) Swap(i, j int) {
	b.keys[i], b.keys[j] = b.keys[j], b.keys[i]
	b.ranks[i], b.ranks[j] = b.ranks[j], b.ranks[i]
}

// moved matches keys anew, their sizes counted in units once more, and says which are elsewhere now, by key bytes.
func (a *Assigner) moved(keys []*holding) ([]Moved, error) {
	sort.Slice(keys, func(i, j int) bool { return keys[i].key.data < keys[j].key.data })
	from, sizes := make([]string, len(keys)), Sizes{whole: true}
	for i, h := range keys {
		from[i] = h.node
		delete(a.held, h.key.data)
		sizes.exact = append(sizes.exact, h.size)
		sizes.whole = sizes.whole && h.whole
	}
	if !sizes.whole { // all are doubles
		for i, size := range sizes.exact {
			rounded, _ := size.Float64()
			sizes.exact[i] = new(big.Rat).SetFloat64(rounded)
		}
	}
	sizes = sizes.inUnits()
	for i, h := range keys {
		h.size, h.whole = sizes.exact[i], sizes.whole
	}
	if err := a.match(keys); err != nil {
		return nil, err
	}
	var moves []Moved
	for i, h := range keys {
		if h.node != from[i] {
			moves = append(moves, Moved{h.key, from[i], h.node})
		}
	}
	return moves, nil
}

// match gives keys that are not held a node, in the room that the others leave.
func (a *Assigner) match(come []*holding) error {
	loads, total := a.loads()
	keys, sizes := make([]Key, len(come)), make([]*big.Rat, len(come))
	for i, h := range come {
		total.Add(total, h.size)
		keys[i], sizes[i] = h.key, h.size
	}
	room, err := a.set.Shares(a.factor, total)
	if err != nil {
		return err
	}
	for node, full := range room {
		full.Sub(full, loads[node])
	}
	nodes, err := a.set.matched(keys, sizes, room)
	if err != nil {
		return err
	}
	for i, h := range come {
		h.node = a.set.ids[nodes[i]]
		a.held[h.key.data] = h
	}
	return nil
}
