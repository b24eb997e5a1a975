package rvh

import (
	"errors"
	"fmt"
	"math"
	"sort"
)

// Options of a set. The zero value is Blake2b without secret and weights.
type Options struct {
	Scheme  Scheme
	Secret  []byte    // of Blake2b, at most 64 bytes
	Weights []float64 // one for each node, or none; equal weights are not the same as none
}

// A NodeSet ranks its nodes for every key. It never changes.
type NodeSet struct {
	scheme   Scheme
	secret   string
	ids      []string
	scorers  []*scorer
	weights  []float64 // nil if there are none
	position map[string]int
}

// NewNodeSet makes a set of nodes. The ids are text or bytes, not empty, and each stands once.
func NewNodeSet(ids []string, options Options) (*NodeSet, error) {
	s := &NodeSet{
		scheme:   options.Scheme,
		secret:   string(options.Secret),
		ids:      append([]string(nil), ids...),
		position: make(map[string]int, len(ids)),
	}
	switch s.scheme {
	case "":
		s.scheme = Blake2b
	case Blake2b, Murmur:
	default:
		return nil, fmt.Errorf("rvh: no scheme %q: there are %q and %q", s.scheme, Blake2b, Murmur)
	}
	if s.scheme == Murmur && s.secret != "" {
		return nil, errors.New("rvh: a secret needs the scheme blake2b")
	}
	if len(s.secret) > 64 {
		return nil, fmt.Errorf("rvh: the secret has %d bytes, and 64 are the most", len(s.secret))
	}
	if len(ids) == 0 {
		return nil, errors.New("rvh: a set needs a node")
	}
	for i, id := range ids {
		if id == "" {
			return nil, fmt.Errorf("rvh: the id of node %d is empty", i)
		}
		if first, twice := s.position[id]; twice {
			return nil, fmt.Errorf("rvh: nodes %d and %d are both %q", first, i, id)
		}
		s.position[id] = i
		s.scorers = append(s.scorers, newScorer(s.scheme, s.secret, id))
	}
	if options.Weights != nil {
		if len(options.Weights) != len(ids) {
			return nil, fmt.Errorf("rvh: %d weights for %d nodes", len(options.Weights), len(ids))
		}
		s.weights = make([]float64, len(ids))
		largest := 0.0
		for i, w := range options.Weights {
			if w != 0 && !(w >= 0x1p-1016 && w <= 0x1p970) {
				return nil, fmt.Errorf("rvh: the weight of node %d, %v, is not 0 and not from 2^-1016 to 2^970", i, w)
			}
			s.weights[i] = math.Abs(w) // -0 is 0
			largest = math.Max(largest, w)
		}
		if largest == 0 {
			return nil, errors.New("rvh: every weight is 0, and one node has to have more")
		}
	}
	return s, nil
}

// A rank is a node's place in the ranking of one key.
type rank struct {
	weighted float64
	score    Score
	node     int
}

// above says whether r comes before other, of which the ids are given.
func (r rank) above(other rank, id, otherID string) bool {
	if r.weighted != other.weighted {
		return r.weighted > other.weighted
	}
	if c := r.score.Compare(other.score); c != 0 {
		return c > 0
	}
	return id > otherID
}

func (s *NodeSet) rank(node int, q question) rank {
	r := rank{score: s.scorers[node].score(q), node: node}
	if s.weights != nil {
		r.weighted = Weighted(s.weights[node], s.scheme.Fraction(r.score))
	}
	return r
}

// takes says whether a node has a rank.
func (s *NodeSet) takes(node int) bool { return s.weights == nil || s.weights[node] > 0 }

// ranking is that of all nodes that have a rank, best first.
func (s *NodeSet) ranking(key Key) []rank {
	q := newQuestion(s.scheme, key)
	ranks := make([]rank, 0, len(s.ids))
	for node := range s.ids {
		if s.takes(node) {
			ranks = append(ranks, s.rank(node, q))
		}
	}
	sort.Slice(ranks, func(i, j int) bool {
		return ranks[i].above(ranks[j], s.ids[ranks[i].node], s.ids[ranks[j].node])
	})
	return ranks
}

// Ranking is all nodes of a weight above 0, the best for the key first.
func (s *NodeSet) Ranking(key Key) []string {
	ranks := s.ranking(key)
	ids := make([]string, len(ranks))
	for i, r := range ranks {
		ids[i] = s.ids[r.node]
	}
	return ids
}

// Select gives the best k nodes for a key, best first. It is an error if there are not so many.
func (s *NodeSet) Select(key Key, k int) ([]string, error) {
	if k == 1 {
		return []string{s.Owner(key)}, nil
	}
	return firstOf(s.Ranking(key), k)
}

func firstOf(ids []string, k int) ([]string, error) {
	if k < 1 || k > len(ids) {
		return nil, fmt.Errorf("rvh: %d nodes were asked for, and 1 to %d can be had", k, len(ids))
	}
	return ids[:k], nil
}

// Owner is the best node for a key. It allocates nothing.
func (s *NodeSet) Owner(key Key) string {
	q := newQuestion(s.scheme, key)
	best := rank{node: -1}
	for node := range s.ids {
		if s.takes(node) {
			if r := s.rank(node, q); best.node < 0 || r.above(best, s.ids[node], s.ids[best.node]) {
				best = r
			}
		}
	}
	return s.ids[best.node]
}

// IDs are the nodes, in the order in which they were given.
func (s *NodeSet) IDs() []string { return append([]string(nil), s.ids...) }
