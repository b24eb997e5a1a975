package rvh

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
)

// Sizes of keys. They count in whole units of a power of two.
type Sizes struct {
	exact []*big.Rat // dyadic
	whole bool
}

// WholeSizes are sizes that are integers of 1 or more.
func WholeSizes(sizes []uint64) (Sizes, error) {
	s := Sizes{make([]*big.Rat, len(sizes)), true}
	for i, size := range sizes {
		if size == 0 {
			return Sizes{}, fmt.Errorf("rvh: the size of key %d is 0", i)
		}
		s.exact[i] = new(big.Rat).SetUint64(size)
	}
	return s, nil
}

// RealSizes are sizes that are doubles, finite and above 0.
func RealSizes(sizes []float64) (Sizes, error) {
	s := Sizes{make([]*big.Rat, len(sizes)), false}
	for i, size := range sizes {
		if !(size > 0) || math.IsInf(size, 0) {
			return Sizes{}, fmt.Errorf("rvh: the size of key %d is %v", i, size)
		}
		s.exact[i] = new(big.Rat).SetFloat64(size)
	}
	return s, nil
}

// ones are the sizes of keys that have none.
func ones(keys int) Sizes {
	s := Sizes{make([]*big.Rat, keys), true}
	for i := range s.exact {
		s.exact[i] = big.NewRat(1, 1)
	}
	return s
}

// Units are the sizes in units of 2^exponent, rounded up.
func (s Sizes) Units() (units []*big.Int, exponent int) {
	if s.whole {
		_, total := s.counted(0)
		if digits := total.BitLen(); digits > 61 {
			exponent = digits - 61
		}
	} else {
		for i, size := range s.exact {
			// The denominator is a power of two, so that size is below 2^digits, and not below half of that.
			if digits := size.Num().BitLen() - size.Denom().BitLen() + 1; i == 0 || digits > exponent {
				exponent = digits
			}
		}
		exponent += bits.Len(uint(len(s.exact))) - 61
		_, total := s.counted(exponent)
		exponent += total.BitLen() - 61
	}
	units, _ = s.counted(exponent)
	return units, exponent
}

func (s Sizes) counted(exponent int) (units []*big.Int, total *big.Int) {
	total = new(big.Int)
	for _, size := range s.exact {
		count := ceiling(shifted(size, -exponent)) // 1 at least, as sizes are above 0
		units = append(units, count)
		total.Add(total, count)
	}
	return units, total
}

// inUnits are the same sizes, each rounded up to whole units.
func (s Sizes) inUnits() Sizes {
	units, exponent := s.Units()
	rounded := Sizes{make([]*big.Rat, len(units)), exponent >= 0}
	for i, count := range units {
		rounded.exact[i] = shifted(new(big.Rat).SetInt(count), exponent)
	}
	return rounded
}

// shifted is x * 2^exponent.
func shifted(x *big.Rat, exponent int) *big.Rat {
	if exponent < 0 {
		return new(big.Rat).SetFrac(x.Num(), new(big.Int).Lsh(x.Denom(), uint(-exponent)))
	}
	return new(big.Rat).SetFrac(new(big.Int).Lsh(x.Num(), uint(exponent)), x.Denom())
}

func ceiling(x *big.Rat) *big.Int {
	quotient, rest := new(big.Int).QuoRem(x.Num(), x.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		quotient.Add(quotient, big.NewInt(1))
	}
	return quotient
}
