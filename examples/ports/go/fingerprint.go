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
	return Digest256(s.secret, "rvh NodeSet", message.String())
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
	return Digest256("", "rvh Ring", message.String())
}

// Fingerprint is equal for fault sets that put every key on the same nodes, for every k.
func (f *FaultSet) Fingerprint() string {
	var names, limits []string
	for _, kind := range f.kinds {
		names = append(names, "'"+kind.Name+"'")
		limits = append(limits, strconv.Itoa(kind.Most))
	}
	message := []string{"nodes=", f.set.Fingerprint(), "\nspread=", tuple(names), " ", tuple(limits), "\n"}
	types, plain := "", true
	for _, id := range f.set.sorted() {
		node := f.set.position[id]
		alive := "\x01"
		if f.dead[node] {
			alive = "\x00"
		}
		parts := []string{id, alive}
		for _, of := range f.kinds {
			label := of.Labels[node]
			parts = append(parts, label.data)
			types += map[kind]string{textKind: "s", binaryKind: "b", signedKind: "i", unsignedKind: "u"}[label.kind]
			plain = plain && label.plain()
		}
		for _, part := range parts {
			message = append(message, string(binary.LittleEndian.AppendUint32(nil, uint32(len(part)))), part)
		}
	}
	if !plain {
		message = append(message, "types=", types)
	}
	return Digest256("", "rvh FaultSet", message...)
}

// plain says whether no label of another type has the same bytes.
func (k Key) plain() bool {
	const limit = 1 << 56
	i := int64(0)
	if k.kind == signedKind {
		i = int64(k.word())
	}
	return k.kind == textKind && strings.IndexByte(k.data, 0) < 0 || k.kind == signedKind && -limit < i && i < limit
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
	return Digest256("", "rvh Migration",
		fmt.Sprintf("old=%s\nnew=%s\nk=%d crossed=%d", oldPrint, newPrint, k, limit))
}
