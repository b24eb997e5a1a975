package rvh

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"sort"
)

// A Measure is one value for each node; a value that is missing is NaN. Stake and capacity have the
// exponent 1 if nothing else is decided, rtt has -1.
type Measure struct {
	Values   []float64
	Exponent float64
}

// WeightsFrom makes weights of measures, in the order stake, capacity, rtt, each within the bounds.
func WeightsFrom(nodes int, measures []Measure, low, high float64) ([]float64, error) {
	weights := make([]float64, nodes)
	for i := range weights {
		weights[i] = 1
	}
	for _, measure := range measures {
		if len(measure.Values) != nodes {
			return nil, fmt.Errorf("rvh: a measure has %d values for %d nodes", len(measure.Values), nodes)
		}
		for i, value := range measure.Values {
			if value < 0 || math.IsInf(value, 0) {
				return nil, fmt.Errorf("rvh: the value of node %d is %v", i, value)
			}
		}
		if measure.Exponent != 0 && measure.Median() == 0 {
			return nil, errors.New("rvh: the median of a measure is 0, by which values are divided")
		}
		for i, factor := range measure.Factors() {
			if weights[i] == 0 || factor == 0 {
				weights[i] = 0 // infinite factors too
			} else {
				weights[i] *= factor
			}
		}
	}
	for i, w := range weights {
		weights[i] = math.Min(math.Max(w, low), high)
		if math.IsInf(weights[i], 0) {
			return nil, fmt.Errorf("rvh: the weight of node %d is too large: give bounds", i)
		}
	}
	return weights, nil
}

// Median is that of the values that are there, and NaN if none is.
func (m Measure) Median() float64 {
	var present []float64
	for _, value := range m.Values {
		if !math.IsNaN(value) {
			present = append(present, value)
		}
	}
	if len(present) == 0 {
		return math.NaN()
	}
	sort.Float64s(present)
	low, high := present[(len(present)-1)/2], present[len(present)/2]
	if low == high {
		return low
	}
	return float64(low/2) + float64(high/2)
}

// Factors are what the measure multiplies each weight by.
func (m Measure) Factors() []float64 {
	factors := make([]float64, len(m.Values))
	median := m.Median()
	for i, value := range m.Values {
		switch {
		case math.IsNaN(value) || m.Exponent == 0:
			factors[i] = 1
		case m.Exponent == 1:
			factors[i] = math.Abs(value) / median // -0 is 0
		case m.Exponent == -1:
			factors[i] = median / value
		case value == 0:
			factors[i] = 0
		default:
			factors[i] = power(value, median, m.Exponent)
		}
	}
	return factors
}

// precision is that of the powers, in bits: far more than the 40 decimal digits that a step has.
const precision = 256

func precise(x float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(x) }

// decimal rounds to 40 decimal digits, ties to even.
func decimal(x *big.Float) *big.Float {
	rounded, _ := precise(0).SetString(x.Text('e', 39))
	return rounded
}

// power is (value / median)^exponent, by the four decimal steps of the contract.
func power(value, median, exponent float64) float64 {
	ratio := decimal(precise(0).Quo(precise(value), precise(median)))
	log := decimal(logarithm(ratio))
	product := decimal(log.Mul(log, precise(exponent)))
	if size, _ := product.Float64(); math.Abs(size) > 800 {
		return math.Exp(size) // 0 or infinite
	}
	result, _ := decimal(exponential(product)).Float64()
	return result
}

// logarithm is ln(x): x = y * 2^e, 1/2 <= y < 1, and ln(y) = 2 artanh((y - 1) / (y + 1)).
func logarithm(x *big.Float) *big.Float {
	y := precise(0)
	e := x.MantExp(y)
	sum := artanh(precise(0).Quo(precise(0).Sub(y, precise(1)), precise(0).Add(y, precise(1))))
	third := precise(0).Quo(precise(1), precise(3)) // ln(2) = 2 artanh(1/3)
	sum.Add(sum, third.Mul(artanh(third), precise(float64(e))))
	return sum.Mul(sum, precise(2))
}

// artanh is z + z^3/3 + z^5/5 + ..., |z| <= 1/3.
func artanh(z *big.Float) *big.Float {
	sum, power, square := precise(0), precise(0).Set(z), precise(0).Mul(z, z)
	for n := 1; n < precision; n += 2 {
		sum.Add(sum, precise(0).Quo(power, precise(float64(n))))
		power.Mul(power, square)
	}
	return sum
}

// exponential is e^x, |x| < 2^10: the series of x / 2^20, squared twenty times.
func exponential(x *big.Float) *big.Float {
	x = precise(0).SetMantExp(x, -20)
	sum, term := precise(1), precise(1)
	for n := 1; n < 32; n++ {
		term.Quo(term.Mul(term, x), precise(float64(n)))
		sum.Add(sum, term)
	}
	for i := 0; i < 20; i++ {
		sum.Mul(sum, sum)
	}
	return sum
}
