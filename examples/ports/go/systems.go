package rvh

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// A System is a program whose ring is made to the bit.
type System string

// The systems, by the names that they have on rvh's command line.
const (
	Ketama             System = "ketama"
	Libmemcached       System = "libmemcached" // ketama_weighted
	LibmemcachedKetama System = "libmemcached-ketama"
	LibmemcachedMD5    System = "libmemcached-md5"
	Nginx              System = "nginx"
	Uhashring          System = "uhashring"
	UhashringKetama    System = "uhashring-ketama"
	HashRing           System = "hash-ring"
)

// equalPoints says which of two nodes has a point that both have.
type equalPoints int

const (
	both equalPoints = iota // the earlier one, and then the later one
	earlier
	later
)

// A rule is how a system makes its ring.
type rule struct {
	hash   TokenHash
	hit    Hit
	equal  equalPoints
	counts func(weights []float64) []int
	points func(node string, count int) []uint64
}

var rules = map[System]rule{
	Ketama:             {KetamaHash, HitPoint, both, libketamaCounts, digests(4)},
	Libmemcached:       {KetamaHash, HitPoint, both, libmemcachedCounts, ofServer(digests(4))},
	LibmemcachedKetama: {OneAtATime, HitPoint, both, times(100), ofServer(hashes(OneAtATime))},
	LibmemcachedMD5:    {KetamaHash, HitPoint, both, times(100), ofServer(hashes(KetamaHash))},
	Nginx:              {CRC32, HitPoint, earlier, times(160), nginxPoints},
	Uhashring:          {MD5, HitNext, later, times(160), hashes(MD5)},
	UhashringKetama:    {KetamaHash, HitNext, later, shares, digests(4)},
	HashRing:           {KetamaHash, HitNext, later, shares, digests(3)},
}

// NewSystemRing is the ring that a system makes of nodes in this order, with a weight for each or nil.
func NewSystemRing(system System, nodes []string, weights []float64, integers Integers) (*Ring, error) {
	rule, counts, err := plan(system, len(nodes), weights)
	if err != nil {
		return nil, err
	}
	var points []Point
	at := map[uint64]int{}
	for i, node := range nodes {
		for _, token := range rule.points(node, counts[i]) {
			if place, met := at[token]; met && rule.equal != both {
				if rule.equal == later {
					points[place].Node = node
				}
				continue
			}
			at[token] = len(points)
			points = append(points, Point{token, node})
		}
	}
	return newRing(points, RingOptions{Hash: rule.hash, Hit: rule.hit, Integers: integers})
}

// SystemCounts is how many hashes a system's ring takes of each node.
func SystemCounts(system System, weights []float64) ([]int, error) {
	_, counts, err := plan(system, len(weights), weights)
	return counts, err
}

func plan(system System, nodes int, weights []float64) (rule, []int, error) {
	rule, known := rules[system]
	if !known {
		return rule, nil, fmt.Errorf("rvh: no system %q", system)
	}
	if weights == nil {
		for i := 0; i < nodes; i++ {
			weights = append(weights, 1)
		}
	}
	if len(weights) != nodes || nodes == 0 {
		return rule, nil, fmt.Errorf("rvh: %d weights for %d nodes", len(weights), nodes)
	}
	for i, w := range weights {
		if !(w >= 0) || math.IsInf(w, 0) {
			return rule, nil, fmt.Errorf("rvh: the weight of node %d is %v", i, w)
		}
		if w > 1 && (system == LibmemcachedKetama || system == LibmemcachedMD5) {
			rule.counts, rule.points = rules[Libmemcached].counts, rules[Libmemcached].points
		}
	}
	return rule, rule.counts(weights), nil
}

func times(hashes int) func([]float64) []int {
	return func(weights []float64) []int {
		counts := make([]int, len(weights))
		for i, w := range weights {
			counts[i] = hashes * int(w)
		}
		return counts
	}
}

// added is the sum of doubles, from the first on.
func added(weights []float64) (total float64) {
	for _, w := range weights {
		total += w
	}
	return total
}

func libketamaCounts(weights []float64) []int {
	total, nodes := float32(added(weights)), float64(len(weights))
	counts := make([]int, len(weights))
	for i, w := range weights {
		share := float32(float32(w) / total)
		counts[i] = int(float32(float64(share) * 40 * nodes))
	}
	return counts
}

func libmemcachedCounts(weights []float64) []int {
	total, nodes := float32(added(weights)), float32(len(weights))
	counts := make([]int, len(weights))
	for i, w := range weights {
		share := float32(float32(w) / total)
		counts[i] = int(float32(float32(float32(share*160)/4) * nodes))
	}
	return counts
}

// shares are those of 40 hashes for each node: whole numbers exactly, others in doubles.
func shares(weights []float64) []int {
	nodes, whole := 40*float64(len(weights)), true
	exact := new(big.Int)
	for _, w := range weights {
		whole = whole && w == math.Trunc(w)
		exact.Add(exact, integer(w))
	}
	total := added(weights)
	counts := make([]int, len(weights))
	for i, w := range weights {
		if whole {
			product := integer(w)
			product.Mul(product, integer(nodes))
			counts[i] = int(product.Quo(product, exact).Int64())
		} else {
			counts[i] = int(nodes * w / total)
		}
	}
	return counts
}

func integer(x float64) *big.Int {
	i, _ := big.NewFloat(x).Int(nil)
	return i
}

// digests takes numbers of four bytes of the MD5 of "node-0", "node-1" and so on, each of them so many.
func digests(each int) func(string, int) []uint64 {
	return func(node string, count int) (points []uint64) {
		for i := 0; i < count; i++ {
			sum := md5.Sum([]byte(node + "-" + strconv.Itoa(i)))
			for j := 0; j < each; j++ {
				points = append(points, uint64(binary.LittleEndian.Uint32(sum[4*j:])))
			}
		}
		return points
	}
}

// hashes takes the tokens of "node-0", "node-1" and so on.
func hashes(hash TokenHash) func(string, int) []uint64 {
	return func(node string, count int) (points []uint64) {
		for i := 0; i < count; i++ {
			points = append(points, hash.Token([]byte(node+"-"+strconv.Itoa(i))))
		}
		return points
	}
}

// ofServer names a node as libmemcached does: without the port 11211, and a path with ":0".
func ofServer(points func(string, int) []uint64) func(string, int) []uint64 {
	return func(node string, count int) []uint64 {
		if strings.HasPrefix(node, "/") {
			return points(node+":0", count)
		}
		if colon := strings.LastIndexByte(node, ':'); colon >= 0 {
			if port, err := strconv.ParseUint(node[colon+1:], 10, 16); err == nil {
				node = node[:colon]
				if port != 11211 {
					node += ":" + strconv.FormatUint(port, 10)
				}
			}
		}
		return points(node, count)
	}
}

// nginxPoints chains CRC-32 over host, NUL, port and the point before.
func nginxPoints(node string, count int) []uint64 {
	host, port := node, ""
	if len(node) >= 5 && strings.EqualFold(node[:5], "unix:") {
		host = node[5:]
	} else if colon := strings.LastIndexByte(node, ':'); colon >= 0 && strings.Trim(node[colon+1:], "0123456789") == "" {
		host, port = node[:colon], node[colon+1:]
	}
	base := crc32.ChecksumIEEE([]byte(host + "\x00" + port))
	var points []uint64
	var point uint32
	for i := 0; i < count; i++ {
		var tail [4]byte
		binary.LittleEndian.PutUint32(tail[:], point)
		point = crc32.Update(base, crc32.IEEETable, tail[:])
		points = append(points, uint64(point))
	}
	return points
}
