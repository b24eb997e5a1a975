// Package vectors answers the questions of tests/golden/vectors, the form of which is in the README there.
package vectors

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"

	"example.com/rvh"
)

// A Case is what a line of questions has in common, and its rows.
type Case struct {
	Kind   string
	Name   string
	common fields
	Rows   []json.RawMessage
}

// UnmarshalJSON keeps the members that it does not know for each row.
func (c *Case) UnmarshalJSON(data []byte) error {
	type plain Case
	if err := json.Unmarshal(data, (*plain)(c)); err != nil {
		return err
	}
	if err := json.Unmarshal(data, &c.common); err != nil {
		return err
	}
	for _, name := range []string{"kind", "name", "rows"} {
		delete(c.common, name)
	}
	return nil
}

// Answer is what a row says, by the rules of the port. It leaves out what the row asks.
func (c *Case) Answer(row json.RawMessage) (answer map[string]any, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			answer, err = nil, fmt.Errorf("%v", problem)
		}
	}()
	of, known := kinds[c.Kind]
	if !known {
		return nil, fmt.Errorf("no kind %q", c.Kind)
	}
	f := fields{}
	for name, value := range c.common {
		f[name] = value
	}
	if err := json.Unmarshal(row, &f); err != nil {
		return nil, err
	}
	return of(f), nil
}

// Check compares the rows of a file and says what differs first. It counts the rows.
func Check(file io.Reader) (rows int, err error) {
	var section struct{ Cases []Case }
	if err := json.NewDecoder(file).Decode(&section); err != nil {
		return 0, err
	}
	for _, c := range section.Cases {
		for i, row := range c.Rows {
			if err := c.compare(row); err != nil {
				return rows, fmt.Errorf("case %q, row %d: %w\n%s", c.Name, i, err, row)
			}
			rows++
		}
	}
	return rows, nil
}

func (c *Case) compare(row json.RawMessage) error {
	answer, err := c.Answer(row)
	if err != nil {
		return err
	}
	if len(answer) == 0 {
		return fmt.Errorf("no answer")
	}
	var said fields
	if err := json.Unmarshal(row, &said); err != nil {
		return err
	}
	for name, value := range answer {
		got := must(json.Marshal(value))
		if want := canonical(said[name]); want != canonical(got) {
			return fmt.Errorf("%s: the row says %s, and the port %s", name, want, got)
		}
	}
	return nil
}

// canonical writes a value with its members in the order of their names.
func canonical(raw json.RawMessage) string {
	if raw == nil {
		return "nothing"
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		panic(err)
	}
	return string(must(json.Marshal(value)))
}

// fields are a question's members. Its methods panic where one is not as it has to be; Answer recovers.
type fields map[string]json.RawMessage

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func get[T any](f fields, name string) (value T) {
	if raw, there := f[name]; there {
		if err := json.Unmarshal(raw, &value); err != nil {
			panic(fmt.Errorf("%s: %w", name, err))
		}
	}
	return value
}

func (f fields) has(name string) bool      { _, there := f[name]; return there }
func (f fields) text(name string) string   { return get[string](f, name) }
func (f fields) small(name string) int     { return get[int](f, name) }
func (f fields) data(name string) []byte   { return must(hex.DecodeString(f.text(name))) }
func (f fields) number(name string) uint64 { return unsigned(f.text(name)) }
func (f fields) double(name string) float64 {
	return double(f.text(name))
}

func (f fields) doubles(name string) []float64 {
	return each(get[[]*string](f, name), func(bits *string) float64 {
		if bits == nil {
			return math.NaN()
		}
		return double(*bits)
	})
}

func (f fields) key(name string) rvh.Key { return get[value](f, name).key() }

func (f fields) keys(name string) []rvh.Key { return each(get[[]value](f, name), value.key) }

func (f fields) set(name string) set {
	var s set
	if err := json.Unmarshal(f[name], &s); err != nil {
		panic(err)
	}
	s.make()
	return s
}

// A value is a node id, a key or a label, by its type.
type value struct {
	Str, Bytes, Int, UUID *string
	Parts                 []value
}

func (v value) key() rvh.Key {
	switch {
	case v.Str != nil:
		return rvh.Text(*v.Str)
	case v.Bytes != nil:
		return rvh.Bytes(must(hex.DecodeString(*v.Bytes)))
	case v.Int != nil && strings.HasPrefix(*v.Int, "-"):
		return rvh.Int(must(strconv.ParseInt(*v.Int, 10, 64)))
	case v.Int != nil:
		return rvh.Uint(unsigned(*v.Int))
	case v.UUID != nil:
		u := must(hex.DecodeString(strings.ReplaceAll(*v.UUID, "-", "")))
		return rvh.UUID(*(*[16]byte)(u))
	}
	return must(rvh.Compose(each(v.Parts, value.key)...))
}

func (v value) id() string { return string(v.key().Bytes()) }

// A set is a node set, and the positions of its nodes.
type set struct {
	Scheme  rvh.Scheme
	Nodes   []value
	Secret  string    `json:"secret_hex"`
	Weights *[]string `json:"weights_bits"`

	nodes     *rvh.NodeSet
	ids       []string
	secret    []byte
	weights   []float64
	positions map[string]int
}

func (s *set) make() {
	s.ids = each(s.Nodes, value.id)
	s.positions = map[string]int{}
	for i, id := range s.ids {
		s.positions[id] = i
	}
	s.secret = must(hex.DecodeString(s.Secret))
	if s.Weights != nil {
		s.weights = each(*s.Weights, func(digits string) float64 { return double(digits) + 0 }) // -0 is 0
	}
	s.nodes = must(rvh.NewNodeSet(s.ids, rvh.Options{Scheme: s.Scheme, Secret: s.secret, Weights: s.weights}))
}

func (s *set) positionsOf(ids []string) []int { return each(ids, s.position) }

func (s *set) position(id string) int { return s.positions[id] }

func each[T, U any](items []T, of func(T) U) []U {
	out := make([]U, len(items))
	for i, item := range items {
		out[i] = of(item)
	}
	return out
}

func unsigned(digits string) uint64 { return must(strconv.ParseUint(digits, 10, 64)) }

func decimal(u uint64) string { return strconv.FormatUint(u, 10) }

func double(digits string) float64 {
	return math.Float64frombits(must(strconv.ParseUint(digits, 16, 64)))
}

func bits(x float64) string { return fmt.Sprintf("%016x", math.Float64bits(x)) }

// ratio is a fraction in lowest terms.
func ratio(x *big.Rat) string { return x.RatString() }
