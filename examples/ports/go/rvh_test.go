package rvh

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"sync"
	"testing"
)

func Example() {
	set, _ := NewNodeSet([]string{"alpha", "beta", "gamma"}, Options{Scheme: Murmur, Weights: []float64{1, 2, 4}})
	nodes, _ := set.Select(Text("user:1"), 2)
	fmt.Println(nodes)
	// Output: [gamma beta]
}

func ExampleFaultSet() {
	set, _ := NewNodeSet([]string{"alpha", "beta", "gamma", "delta"}, Options{})
	zones := Domains{Name: "zone", Labels: []Key{Text("eu"), Text("eu"), Text("eu"), Text("us")}}
	racks := Domains{Name: "rack", Labels: []Key{Int(1), Int(1), Int(2), Int(1)}}
	faults, _ := NewFaultSet(set, nil, zones, racks)
	row, _ := faults.Select(Text("user:1"), 3)
	fmt.Println(row.Nodes, row.Degraded)
	// Output: [beta delta gamma] true
}

func ExampleRing() {
	ring, _ := NewSystemRing(Ketama, []string{"alpha", "beta", "gamma"}, nil, NoIntegers)
	nodes, _ := ring.Lookup(Text("user:1"), 2)
	fmt.Println(nodes)
	// Output: [alpha gamma]
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestFingerprints(t *testing.T) {
	set := must(NewNodeSet([]string{"beta", "alpha"}, Options{}))
	kinds := Domains{Name: "zone", Labels: []Key{Text("eu"), Int(7)}, Most: 2}
	faults := must(NewFaultSet(set, []string{"alpha"}, kinds))
	ring := must(NewRing([]Point{{40, "alpha"}, {20, "beta"}, {10, "alpha"}}, RingOptions{Hash: CRC32, Hit: HitNext}))
	for want, got := range map[string]string{
		"ff46caf62c199857c360b226b91cc6b5c944a3aa9d77c272357e09c23e0144cd": faults.Fingerprint(),
		"85d2af552d7b2f2040888330af3917388e724047296a12a6f611d48e894cba14": ring.Fingerprint(),
		"959a1326855b5efab773360818328d8a417fe6f402a25784e98fa35dbc0aaee1": MigrationFingerprint(ring.Fingerprint(), set.Fingerprint(), 1, 0.25),
	} {
		if got != want {
			t.Errorf("%s is not %s", got, want)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	ids := []string{"a", "b"}
	set := must(NewNodeSet(ids, Options{}))
	assigner := must(NewAssigner(set, 1))
	ring := must(NewRing([]Point{{1, "a"}}, RingOptions{Hash: CRC32}))
	twoSizes := must(WholeSizes([]uint64{1, 2}))
	composite := must(Compose(Int(1)))
	failed := func(_ any, err error) error { return err }
	for say, err := range map[string]error{
		"is empty":        failed(NewNodeSet([]string{"a", ""}, Options{})),
		"are both":        failed(NewNodeSet([]string{"a", "a"}, Options{})),
		"no scheme":       failed(NewNodeSet(ids, Options{Scheme: "md5"})),
		"needs the":       failed(NewNodeSet(ids, Options{Scheme: Murmur, Secret: []byte("s")})),
		"65 bytes":        failed(NewNodeSet(ids, Options{Secret: make([]byte, 65)})),
		"1 weights":       failed(NewNodeSet(ids, Options{Weights: []float64{1}})),
		"-1":              failed(NewNodeSet(ids, Options{Weights: []float64{1, -1}})),
		"NaN":             failed(NewNodeSet(ids, Options{Weights: []float64{1, math.NaN()}})),
		"4e-307":          failed(NewNodeSet(ids, Options{Weights: []float64{1, 4e-307}})),
		"1 to 2 can":      failed(set.Select(Text("k"), 3)),
		"needs a node":    failed(NewNodeSet(nil, Options{})),
		"every weight":    failed(NewNodeSet(ids, Options{Weights: []float64{0, 0}})),
		"needs a part":    failed(Compose()),
		"part 0":          failed(Compose(composite)),
		"not in the set":  failed(NewFaultSet(set, []string{"c"})),
		"1 labels":        failed(NewFaultSet(set, nil, Domains{Name: "zone", Labels: []Key{Int(1)}})),
		"partitions":      failed(NewPartitionTable(set, 1<<24+1, 1)),
		"one token":       failed(NewRing([]Point{{1, "a"}, {1, "b"}}, RingOptions{Hash: CRC32})),
		"32 bits":         failed(NewRing([]Point{{1 << 32, "a"}}, RingOptions{Hash: CRC32})),
		"is an integer":   failed(ring.Lookup(Int(1), 1)),
		"composite keys":  failed(ring.Lookup(composite, 1)),
		"no place":        failed(Geohash(91, 0, 5)),
		"no geohash":      failed(NewGeoSet(set, []string{"u0", "a"}, 12)),
		"load factor":     failed(NewAssigner(set, 0.5)),
		"no room":         failed(set.AssignBalanced([]Key{Int(1), Int(2), Int(3)}, 0.1, nil)),
		"the median":      failed(WeightsFrom(1, []Measure{{[]float64{0}, 1}}, 0, 1)),
		"value of node 0": failed(WeightsFrom(1, []Measure{{[]float64{-1}, 1}}, 0, 1)),
		"size of key 0":   failed(RealSizes([]float64{0})),
		"factor is +Inf":  failed(set.Capacities(1, math.Inf(1))),
		"two sizes":       failed(assigner.Assign([]Key{Int(1), Int(1)}, &twoSizes)),
		"weight of node ": failed(NewSystemRing(Ketama, ids, []float64{1, -1}, NoIntegers)),
	} {
		if err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q is not in %v", say, err)
		}
	}
}

// The race detector sees what many goroutines share (go test -race).
func TestManyGoroutines(t *testing.T) {
	set := must(NewNodeSet([]string{"a", "b", "c"}, Options{Secret: []byte("secret"), Weights: []float64{1, 2, 3}}))
	faults := must(NewFaultSet(set, []string{"a"}))
	ring := must(NewSystemRing(Ketama, set.IDs(), nil, IntegersText))
	assigner := must(NewAssigner(set, 1))
	var wait sync.WaitGroup
	for i := 0; i < 8; i++ {
		wait.Add(1)
		go func(first int64) {
			defer wait.Done()
			for i := first; i < first+20; i++ {
				owner := set.Owner(Int(i))
				if best := must(set.Select(Int(i), 3)); best[0] != owner {
					t.Errorf("%d: %s and %s", i, owner, best[0])
				}
				must(faults.Select(Int(i), 2))
				must(ring.Lookup(Int(i), 2))
				must(assigner.Assign([]Key{Int(i)}, nil))
			}
		}(int64(i) * 100)
	}
	wait.Wait()
	total := new(big.Rat)
	for _, load := range assigner.Loads() {
		total.Add(total, load)
	}
	if total.RatString() != "160" {
		t.Errorf("%s keys are held", total.RatString())
	}
}

func BenchmarkOwner(b *testing.B) {
	ids := make([]string, 16)
	weights := make([]float64, len(ids))
	for i := range ids {
		ids[i], weights[i] = fmt.Sprintf("node-%d", i), float64(i+1)
	}
	for name, options := range map[string]Options{
		"blake2b":         {},
		"blake2bWeighted": {Weights: weights},
		"murmur":          {Scheme: Murmur},
		"murmurWeighted":  {Scheme: Murmur, Weights: weights},
	} {
		set := must(NewNodeSet(ids, options))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			key := Text("user:12345")
			for i := 0; i < b.N; i++ {
				set.Owner(key)
			}
		})
	}
}
