// Package rvh answers where a key lives, as the placement contract of rvh says it, to the last bit: a
// service in Go and a job in Python that share a list of nodes agree about every key.
//
//	set, err := rvh.NewNodeSet([]string{"alpha", "beta", "gamma"}, rvh.Options{})
//	nodes, err := set.Select(rvh.Text("user:1"), 2) // [beta alpha]
//
// Everything is decided when a value is made: sets, fault sets, rings and tables never change, and any
// number of goroutines may ask them at once. Only an [Assigner] has a state, and a lock of its own.
//
// The types follow the sections of docs/reference/contract.md; MurmurHash64A, NegLog and the other stages are
// exported so that a wrong answer can be traced to its step. Products of doubles that are added to
// something stand in an explicit float64(), without which Go may fuse the two operations into one.
package rvh
