package rvh

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"sort"
	"strconv"
	"strings"
)

// Fingerprint is equal for sets that put every key on the same nodes, in whatever order they stand.
func (s *NodeSet) Fingerprint() string {
	var message strings.Builder
	message.WriteString("scheme=" + string(s.scheme))
	if s.weights != nil {
		message.WriteString(" weighted")
	}
	message.WriteString("\n")
	for _, id := range s.sorted() {
		message.WriteString(little64(uint64(len(id))) + id)
		if s.weights != nil {
			message.WriteString(little64(math.Float64bits(s.weights[s.position[id]])))
		}
	}
	return digest256(s.secret, "rvh NodeSet", message.String())
}

func (s *NodeSet) sorted() []string {
	ids := s.IDs()
	sort.Strings(ids)
	return ids
}

// Fingerprint is equal for rings that put every key on the same nodes.
func (r *Ring) Fingerprint() string {
	var message strings.Builder
	message.WriteString("hash=" + string(r.options.Hash))
	if i := r.options.Integers; i != NoIntegers && i != IntegersContract {
		message.WriteString(" integers=" + string(i))
	}
	if r.options.Hit != HitPoint {
		message.WriteString(" hit=" + string(r.options.Hit))
	}
	if r.options.Tag != "" {
		message.WriteString(" tag=" + r.options.Tag)
	}
	message.WriteString("\n")
	for _, point := range r.points {
		message.WriteString(little64(point.Token) + little64(uint64(len(point.Node))) + point.Node)
	}
	return digest256("", "rvh Ring", message.String())
}

// Fingerprint is equal for fault sets that put every key on the same nodes, for every k.
func (f *FaultSet) Fingerprint() string {
	var names, limits []string
	for _, kind := range f.kinds {
		names = append(names, "'"+kind.Name+"'")
		limits = append(limits, strconv.Itoa(kind.Most))
	}
	message := []string{"nodes=", f.set.Fingerprint(), "\nspread=", tuple(names), " ", tuple(limits), "\n"}
	for _, id := range f.set.sorted() {
		node := f.set.position[id]
		alive := "\x01"
		if f.dead[node] {
			alive = "\x00"
		}
		parts := []string{id, alive}
		for _, kind := range f.kinds {
			parts = append(parts, kind.Labels[node].data)
		}
		for _, part := range parts {
			message = append(message, string(binary.LittleEndian.AppendUint32(nil, uint32(len(part)))), part)
		}
	}
	return digest256("", "rvh FaultSet", message...)
}

// tuple is what Python prints.
func tuple(items []string) string {
	if len(items) == 1 {
		return "(" + items[0] + ",)"
	}
	return "(" + strings.Join(items, ", ") + ")"
}

// MigrationFingerprint is that of a migration between two placements at a progress, with k nodes a key.
func MigrationFingerprint(oldPrint, newPrint string, k int, progress float64) string {
	limit, _ := new(big.Float).SetFloat64(math.Ceil(math.Ldexp(progress, 64))).Int(nil)
	return digest256("", "rvh Migration",
		fmt.Sprintf("old=%s\nnew=%s\nk=%d crossed=%d", oldPrint, newPrint, k, limit))
}
