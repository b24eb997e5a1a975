package rvh

import "math"

// Reduce gives x and e with m = x * 2^e, exactly, and sqrt(1/2) <= x < sqrt(2).
func Reduce(m uint64) (x float64, e int) {
	x, e = math.Frexp(float64(m))
	if x < 0x1.6a09e667f3bcdp-1 {
		return 2 * x, e - 1
	}
	return x, e
}

// NegLog is -ln(m / 2^53), 0 < m < 2^53. The conversions keep each product from being fused with its sum.
func NegLog(m uint64) float64 {
	const (
		ln2High = 6.93147180369123816490e-01
		ln2Low  = 1.90821492927058770002e-10
		l1      = 6.666666666666735130e-01
		l2      = 3.999999999940941908e-01
		l3      = 2.857142874366239149e-01
		l4      = 2.222219843214978396e-01
		l5      = 1.818357216161805012e-01
		l6      = 1.531383769920937332e-01
		l7      = 1.479819860511658591e-01
	)
	x, e := Reduce(m)
	f := x - 1
	q := 53 - float64(e)
	s := f / (2 + f)
	z := s * s
	y := z * z
	even := float64(y * (l2 + float64(y*(l4+float64(y*l6)))))
	odd := float64(z * (l1 + float64(y*(l3+float64(y*(l5+float64(y*l7)))))))
	half := float64((0.5 * f) * f)
	low := float64(s*(half+(even+odd))) - float64(q*ln2Low)
	return float64(q*ln2High) + ((half - low) - f)
}

// Weighted is the weighted score of a weight and m.
func Weighted(weight float64, m uint64) float64 {
	if m == 0 {
		return 0
	}
	return weight / NegLog(m)
}
