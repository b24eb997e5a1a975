package rvh

import "fmt"

// A Domains is one kind of failure domain: the label of each node, and how many nodes of a domain a row
// may have. Labels are compared as values: Text("1") is not Int(1).
type Domains struct {
	Name   string
	Labels []Key
	Most   int // 0 stands for 1
}

// A FaultSet is a node set of which some nodes are dead, and whose rows spread over domains.
type FaultSet struct {
	set     *NodeSet
	dead    []bool
	kinds   []Domains
	domains [][]int // for each kind, the domain of each node
}

// NewFaultSet has kinds of domains from the outermost in: racks are those of their zone.
func NewFaultSet(set *NodeSet, dead []string, kinds ...Domains) (*FaultSet, error) {
	f := &FaultSet{set: set, dead: make([]bool, len(set.ids)), kinds: append([]Domains(nil), kinds...)}
	for _, id := range dead {
		node, known := set.position[id]
		if !known {
			return nil, fmt.Errorf("rvh: the dead node %q is not in the set", id)
		}
		f.dead[node] = true
	}
	type domain struct {
		around int
		label  Key
	}
	around := make([]int, len(set.ids))
	for i, kind := range kinds {
		if len(kind.Labels) != len(set.ids) {
			return nil, fmt.Errorf("rvh: %q has %d labels for %d nodes", kind.Name, len(kind.Labels), len(set.ids))
		}
		if kind.Most < 0 {
			return nil, fmt.Errorf("rvh: %q has the limit %d, which has to be 1 or more", kind.Name, kind.Most)
		}
		if kind.Most == 0 {
			f.kinds[i].Most = 1
		}
		f.kinds[i].Labels = append([]Key(nil), kind.Labels...)
		seen := map[domain]int{}
		of := make([]int, len(set.ids))
		for node, label := range kind.Labels {
			if label.kind == compositeKind {
				return nil, fmt.Errorf("rvh: the %q of node %d is a composite key", kind.Name, node)
			}
			d := domain{around[node], label}
			if _, met := seen[d]; !met {
				seen[d] = len(seen)
			}
			of[node] = seen[d]
		}
		f.domains = append(f.domains, of)
		around = of
	}
	return f, nil
}

// A Row is the nodes of a key. It is degraded if there were too few domains, and the limits of the
// outermost kinds had to be dropped.
type Row struct {
	Nodes    []string
	Degraded bool
}

// Select gives k living nodes for a key, in the order in which they are taken.
func (f *FaultSet) Select(key Key, k int) (Row, error) {
	nodes, degraded, err := f.spread(f.living(key), k)
	return Row{f.names(nodes), degraded}, err
}

// A Repaired row says too which of its nodes are new, and which of the current ones are not in it.
type Repaired struct {
	Row
	Added, Dropped []bool
}

// Repair gives k nodes for a key that is on the current ones, of which it keeps what it can. An empty
// string in current is not a node.
func (f *FaultSet) Repair(key Key, current []string, k int) (Repaired, error) {
	holds := map[int]bool{}
	for _, id := range current {
		if node, known := f.set.position[id]; known {
			holds[node] = true
		}
	}
	var stay, others []int
	for _, node := range f.living(key) {
		if holds[node] {
			stay = append(stay, node)
		} else {
			others = append(others, node)
		}
	}
	nodes, degraded, err := f.spread(append(stay, others...), k)
	if err != nil {
		return Repaired{}, err
	}
	repaired := Repaired{Row: Row{f.names(nodes), degraded}, Dropped: make([]bool, len(current))}
	left := map[int]bool{}
	for _, node := range nodes {
		left[node] = true
		repaired.Added = append(repaired.Added, !holds[node])
	}
	for i, id := range current {
		node, known := f.set.position[id]
		repaired.Dropped[i] = id != "" && !(known && left[node])
		if known {
			delete(left, node) // a second time it is dropped
		}
	}
	return repaired, nil
}

// Living is all living nodes of a weight above 0, the best for the key first.
func (f *FaultSet) Living(key Key) []string { return f.names(f.living(key)) }

func (f *FaultSet) living(key Key) (nodes []int) {
	for _, r := range f.set.ranking(key) {
		if !f.dead[r.node] {
			nodes = append(nodes, r.node)
		}
	}
	return nodes
}

// spread takes k of the nodes: each walk leaves one more kind away, from the outermost in.
func (f *FaultSet) spread(nodes []int, k int) (row []int, degraded bool, err error) {
	if k < 1 || k > len(nodes) {
		return nil, false, fmt.Errorf("rvh: %d nodes were asked for, and %d can be had", k, len(nodes))
	}
	taken := make(map[int]bool, k)
	held := make([]map[int]int, len(f.kinds))
	for i := range held {
		held[i] = map[int]int{}
	}
	for away := 0; len(row) < k; away++ {
		for _, node := range nodes {
			if len(row) == k || taken[node] || !f.fits(node, held, away) {
				continue
			}
			taken[node] = true
			row = append(row, node)
			for i := range held {
				held[i][f.domains[i][node]]++
			}
		}
		degraded = away > 0
	}
	return row, degraded, nil
}

func (f *FaultSet) fits(node int, held []map[int]int, away int) bool {
	for i := away; i < len(held); i++ {
		if held[i][f.domains[i][node]] >= f.kinds[i].Most {
			return false
		}
	}
	return true
}

func (f *FaultSet) names(nodes []int) []string {
	ids := make([]string, len(nodes))
	for i, node := range nodes {
		ids[i] = f.set.ids[node]
	}
	return ids
}
