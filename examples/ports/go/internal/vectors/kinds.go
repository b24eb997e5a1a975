package vectors

import (
	"encoding/hex"
	"math"
	"math/big"
	"strconv"

	"example.com/rvh"
)

type answers = map[string]any

// kinds are the answers to each kind of question.
var kinds map[string]func(fields) answers

func init() { // refused asks the others
	kinds = map[string]func(fields) answers{
		"value": func(f fields) answers {
			return answers{"key_hex": hex.EncodeToString(f.key("value").Bytes())}
		},
		"hash":                  hash,
		"score":                 score,
		"logarithm":             logarithm,
		"ranking":               ranking,
		"weights":               weights,
		"partition":             partition,
		"replicas":              replicas,
		"repair":                repair,
		"batch":                 batch,
		"assigner":              assigner,
		"geohash":               geohash,
		"nearest":               nearest,
		"buckets":               buckets,
		"counts":                counts,
		"points":                points,
		"ring_key":              ringKey,
		"lookup":                lookup,
		"crossing":              crossing,
		"moves":                 moves,
		"ring_fingerprint":      ringFingerprint,
		"faultset_fingerprint":  faultSetFingerprint,
		"migration_fingerprint": migrationFingerprint,
		"refused":               refused,
		"fingerprint": func(f fields) answers {
			return answers{"fingerprint_hex": f.set("set").nodes.Fingerprint()}
		},
	}
}

func hash(f fields) answers {
	data := f.data("data_hex")
	value := func(u uint64) answers { return answers{"hash_value": decimal(u)} }
	switch name := f.text("hash"); name {
	case "murmur64a":
		return value(rvh.MurmurHash64A(string(data), f.number("seed")))
	case "hash128to64":
		return value(rvh.Hash128to64(f.number("low"), f.number("high")))
	case "splitmix64":
		return value(rvh.SplitMix64(f.number("seed"), uint64(f.small("number"))))
	case "blake2b":
		if f.has("person") {
			return answers{"digest_hex": rvh.Digest256(string(f.data("secret_hex")), f.text("person"), string(data))}
		}
		score := rvh.Blake2b.Score(f.data("secret_hex"), "", rvh.Bytes(data))
		digest := make([]byte, 16)
		number, _ := new(big.Int).SetString(score.String(), 10)
		return answers{"digest_hex": hex.EncodeToString(number.FillBytes(digest))}
	default:
		return answers{"hash_value": token(rvh.TokenHash(name), rvh.TokenHash(name).Token(data))}
	}
}

// token is a token's number: that of Murmur3 is signed.
func token(hash rvh.TokenHash, u uint64) string {
	if hash == rvh.Murmur3Hash {
		return strconv.FormatInt(int64(u), 10)
	}
	return decimal(u)
}

func parseToken(hash rvh.TokenHash, digits string) uint64 {
	if hash == rvh.Murmur3Hash {
		return uint64(must(strconv.ParseInt(digits, 10, 64)))
	}
	return unsigned(digits)
}

func score(f fields) answers {
	scheme, node, key := rvh.Scheme(f.text("scheme")), get[value](f, "node").id(), f.key("key")
	score := scheme.Score(f.data("secret_hex"), node, key)
	answer := answers{"score": score.String(), "m": decimal(scheme.Fraction(score))}
	if scheme == rvh.Murmur {
		answer["kh"] = decimal(rvh.MurmurHash64A(string(key.Bytes()), rvh.KeySeed))
		answer["nh"] = decimal(rvh.MurmurHash64A(node, rvh.NodeSeed))
	} else {
		answer["message_hex"] = hex.EncodeToString([]byte(node)) + hex.EncodeToString(key.Bytes())
	}
	return answer
}

func logarithm(f fields) answers {
	m := f.number("m")
	answer := answers{"weighted_bits": bits(rvh.Weighted(f.double("weight_bits"), m))}
	if m > 0 {
		x, e := rvh.Reduce(m)
		answer["x_bits"], answer["e"], answer["minus_ln_bits"] = bits(x), e, bits(rvh.NegLog(m))
	}
	return answer
}

func ranking(f fields) answers {
	s, key := f.set("set"), f.key("key")
	scores := each(s.ids, func(id string) rvh.Score { return s.Scheme.Score(s.secret, id, key) })
	answer := answers{
		"scores":  each(scores, rvh.Score.String),
		"ranking": s.positionsOf(s.nodes.Ranking(key)),
	}
	if s.position(s.nodes.Owner(key)) != answer["ranking"].([]int)[0] {
		panic("Owner is not the first of Ranking")
	}
	if s.weights != nil {
		ms := each(scores, s.Scheme.Fraction)
		weighted := make([]string, len(ms))
		for i, m := range ms {
			weighted[i] = bits(rvh.Weighted(s.weights[i], m))
		}
		answer["m"], answer["weighted_bits"] = each(ms, decimal), weighted
	}
	return answer
}

func weights(f fields) answers {
	exponents, bounds := get[map[string]string](f, "exponents_bits"), []float64{0, math.Inf(1)}
	if f.has("bounds_bits") {
		bounds = f.doubles("bounds_bits")
	}
	nodes := 0
	var measures []rvh.Measure
	medians, factors := answers{}, answers{}
	for _, name := range []string{"stake", "capacity", "rtt"} {
		if !f.has(name + "_bits") {
			continue
		}
		measure := rvh.Measure{Values: f.doubles(name + "_bits"), Exponent: 1}
		if name == "rtt" {
			measure.Exponent = -1
		}
		if exponent, said := exponents[name]; said {
			measure.Exponent = double(exponent)
		}
		measures = append(measures, measure)
		medians[name], factors[name] = nil, each(measure.Factors(), bits)
		if median := measure.Median(); measure.Exponent != 0 && !math.IsNaN(median) {
			medians[name] = bits(median)
		}
		nodes = len(measure.Values)
	}
	weights := must(rvh.WeightsFrom(nodes, measures, bounds[0], bounds[1]))
	return answers{"medians_bits": medians, "factors_bits": factors, "weights_bits": each(weights, bits)}
}

func partition(f fields) answers {
	s, key, partitions := f.set("set"), f.key("key"), uint32(f.small("partitions"))
	table := must(rvh.NewPartitionTable(s.nodes, partitions, f.small("k")))
	return answers{
		"hash_value": decimal(rvh.Crossing(key)),
		"partition":  rvh.Partition(key, partitions),
		"owners":     s.positionsOf(table.Lookup(key)),
	}
}

func faultSet(f fields) (set, *rvh.FaultSet) {
	s, labels, most := f.set("set"), get[map[string][]value](f, "domains"), get[[]int](f, "most")
	var kinds []rvh.Domains
	for i, name := range get[[]string](f, "spread") {
		kinds = append(kinds, rvh.Domains{Name: name, Labels: each(labels[name], value.key), Most: most[i]})
	}
	dead := each(get[[]int](f, "dead"), func(node int) string { return s.ids[node] })
	return s, must(rvh.NewFaultSet(s.nodes, dead, kinds...))
}

func replicas(f fields) answers {
	s, faults := faultSet(f)
	row := must(faults.Select(f.key("key"), f.small("k")))
	return answers{
		"living":   s.positionsOf(faults.Living(f.key("key"))),
		"nodes":    s.positionsOf(row.Nodes),
		"degraded": row.Degraded,
	}
}

func repair(f fields) answers {
	s, faults := faultSet(f)
	current := each(get[[]*int](f, "current"), func(node *int) string {
		if node == nil {
			return ""
		}
		return s.ids[*node]
	})
	row := must(faults.Repair(f.key("key"), current, f.small("k")))
	return answers{
		"nodes":    s.positionsOf(row.Nodes),
		"degraded": row.Degraded,
		"added":    row.Added,
		"dropped":  row.Dropped,
	}
}

func sizes(f fields) *rvh.Sizes {
	var sizes rvh.Sizes
	switch {
	case f.has("sizes"):
		sizes = must(rvh.WholeSizes(each(get[[]string](f, "sizes"), unsigned)))
	case f.has("sizes_bits"):
		sizes = must(rvh.RealSizes(f.doubles("sizes_bits")))
	default:
		return nil
	}
	return &sizes
}

func batch(f fields) answers {
	s, keys, sizes := f.set("set"), f.keys("keys"), sizes(f)
	factor := must(strconv.ParseFloat(f.text("load_factor"), 64))
	answer := answers{}
	if sizes == nil {
		capacities := must(s.nodes.Capacities(len(keys), factor))
		answer["capacities"] = each(capacities, strconv.Itoa)
		ones := must(rvh.WholeSizes(each(keys, func(rvh.Key) uint64 { return 1 })))
		sizes = &ones
	}
	units, exponent := sizes.Units()
	if answer["capacities"] == nil {
		answer["unit_exponent"] = exponent
	}
	owners := s.positionsOf(must(s.nodes.AssignBalanced(keys, factor, sizes)))
	loads, total := each(s.ids, func(string) *big.Int { return new(big.Int) }), new(big.Int)
	for i, node := range owners {
		loads[node].Add(loads[node], units[i])
		total.Add(total, units[i])
	}
	answer["shares"] = each(must(s.nodes.Shares(factor, new(big.Rat).SetInt(total))), ratio)
	answer["owners"] = owners
	answer["loads"] = each(loads, (*big.Int).String)
	return answer
}

func assigner(f fields) answers {
	s := f.set("set")
	factor := must(strconv.ParseFloat(f.text("load_factor"), 64))
	a := must(rvh.NewAssigner(s.nodes, factor))
	var told []answers
	for _, step := range get[[]fields](f, "steps") {
		answer, before := answers{}, s
		moves := func(moved []rvh.Moved) {
			answer["moves"] = each(moved, func(m rvh.Moved) []any {
				return []any{hex.EncodeToString(m.Key.Bytes()), before.position(m.From), s.position(m.To)}
			})
		}
		switch {
		case step.has("assign"):
			answer["owners"] = s.positionsOf(must(a.Assign(step.keys("assign"), sizes(step))))
		case step.has("release"):
			a.Release(step.keys("release"))
		case step.has("update"):
			s = step.set("update")
			moves(must(a.Update(s.nodes)))
		default:
			moves(must(a.Rebalance()))
		}
		answer["loads"] = each(a.Loads(), ratio)
		told = append(told, answer)
	}
	return answers{"answers": told}
}

func geohash(f fields) answers {
	return answers{"geohash": must(rvh.Geohash(f.double("latitude_bits"), f.double("longitude_bits"), f.small("precision")))}
}

func nearest(f fields) answers {
	s, places, place, precision := f.set("set"), get[[]string](f, "geohashes"), f.text("geohash"), f.small("precision")
	geo := must(rvh.NewGeoSet(s.nodes, places, precision))
	k := len(s.nodes.Ranking(f.key("key")))
	return answers{
		"common":  each(places, func(of string) int { return rvh.SharedPrefix(of, place, precision) }),
		"ranking": s.positionsOf(must(geo.Select(f.key("key"), place, k))),
	}
}

func buckets(f fields) answers {
	word, count := rvh.Word(f.key("key")), int32(f.small("buckets"))
	return answers{
		"word":     decimal(word),
		"jump":     rvh.Distinct(word, count, f.small("k")),
		"jumpback": rvh.JumpBack(word, count),
	}
}

func counts(f fields) answers {
	return answers{"counts": must(rvh.SystemCounts(rvh.System(f.text("system")), f.doubles("weights_bits")))}
}

// ring is that of a question, its hash and the position of each node.
func ring(f fields) (*rvh.Ring, rvh.TokenHash, func(string) int) {
	if f.has("system") {
		ids := each(get[[]value](f, "nodes"), value.id)
		ring := must(rvh.NewSystemRing(rvh.System(f.text("system")), ids, f.doubles("weights_bits"), rvh.IntegersContract))
		positions := map[string]int{}
		for i, id := range ids {
			positions[id] = i
		}
		return ring, ring.Hash(), func(id string) int { return positions[id] }
	}
	hash := rvh.TokenHash(f.text("hash"))
	points := each(get[[][2]any](f, "points"), func(point [2]any) rvh.Point {
		return rvh.Point{Token: parseToken(hash, point[0].(string)), Node: strconv.Itoa(int(point[1].(float64)))}
	})
	options := rvh.RingOptions{Hash: hash, Hit: rvh.Hit(f.text("hit")), Integers: rvh.IntegersContract}
	return must(rvh.NewRing(points, options)), hash, func(id string) int { return must(strconv.Atoi(id)) }
}

func points(f fields) answers {
	ring, hash, position := ring(f)
	return answers{
		"counts": must(rvh.SystemCounts(rvh.System(f.text("system")), f.doubles("weights_bits"))),
		"points": each(ring.Points(), func(p rvh.Point) []any { return []any{token(hash, p.Token), position(p.Node)} }),
	}
}

func ringKey(f fields) answers {
	options := rvh.RingOptions{Hash: rvh.MD5, Integers: rvh.Integers(f.text("integers")), Tag: f.text("tag")}
	ring := must(rvh.NewRing([]rvh.Point{{Token: 0, Node: "a"}}, options))
	return answers{"data_hex": hex.EncodeToString(must(ring.Hashed(f.key("key"))))}
}

func lookup(f fields) answers {
	ring, hash, position := ring(f)
	of := func(ids []string) []int { return each(ids, position) }
	if !f.has("key") {
		return answers{"owners": of(must(ring.LookupToken(parseToken(hash, f.text("token")), f.small("k"))))}
	}
	key := f.key("key")
	return answers{
		"token":  token(hash, hash.Token(must(ring.Hashed(key)))),
		"owners": of(must(ring.Lookup(key, f.small("k")))),
	}
}

func crossing(f fields) answers {
	key := f.key("key")
	return answers{
		"crossing": decimal(rvh.Crossing(key)),
		"crossed":  rvh.Crossed(key, f.double("progress_bits")),
		"step":     rvh.Step(key, uint64(f.small("steps"))),
	}
}

func moves(f fields) answers {
	old, new, key := f.set("old"), f.set("new"), f.key("key")
	oldIDs, newIDs := must(old.nodes.Select(key, f.small("k"))), must(new.nodes.Select(key, f.small("k_new")))
	return answers{
		"old_owners": old.positionsOf(oldIDs),
		"new_owners": new.positionsOf(newIDs),
		"moves": each(rvh.Moves(oldIDs, newIDs), func(m rvh.Move) [2]int {
			return [2]int{old.position(m.From), new.position(m.To)}
		}),
	}
}

func ringFingerprint(f fields) answers {
	hash, ids := rvh.TokenHash(f.text("hash")), each(get[[]value](f, "nodes"), value.id)
	points := each(get[[][2]any](f, "points"), func(point [2]any) rvh.Point {
		return rvh.Point{Token: parseToken(hash, point[0].(string)), Node: ids[int(point[1].(float64))]}
	})
	options := rvh.RingOptions{
		Hash: hash, Hit: rvh.Hit(f.text("hit")), Integers: rvh.Integers(f.text("integers")), Tag: f.text("tag"),
	}
	return answers{"fingerprint_hex": must(rvh.NewRing(points, options)).Fingerprint()}
}

func faultSetFingerprint(f fields) answers {
	_, faults := faultSet(f)
	return answers{"fingerprint_hex": faults.Fingerprint()}
}

func migrationFingerprint(f fields) answers {
	old, new := f.set("old").nodes.Fingerprint(), f.set("new").nodes.Fingerprint()
	return answers{"fingerprint_hex": rvh.MigrationFingerprint(old, new, f.small("k"), f.double("progress_bits"))}
}

// refused says whether what is asked is an error.
func refused(f fields) (answer answers) {
	defer func() {
		if recover() != nil {
			answer = answers{"refused": true}
		}
	}()
	switch f.text("as") {
	case "ranking":
		for _, node := range get[struct{ Nodes []value }](f, "set").Nodes {
			if node.Int != nil {
				panic("an id is an integer")
			}
		}
		must(f.set("set").nodes.Select(f.key("key"), f.small("k")))
	case "partition":
		must(rvh.NewPartitionTable(must(rvh.NewNodeSet([]string{"a"}, rvh.Options{})), uint32(f.small("partitions")), 1))
	case "lookup":
		ring, _, _ := ring(f)
		must(ring.Lookup(rvh.Text("key"), f.small("k")))
	default:
		kinds[f.text("as")](f)
	}
	return answers{"refused": false}
}
