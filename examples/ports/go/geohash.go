package rvh

import (
	"fmt"
	"sort"
	"strings"
)

const letters = "0123456789bcdefghjkmnpqrstuvwxyz"

// Geohash encodes a place in degrees, with 1 to 12 characters.
func Geohash(latitude, longitude float64, precision int) (string, error) {
	if !(latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180) {
		return "", fmt.Errorf("rvh: no place has the latitude %v and the longitude %v", latitude, longitude)
	}
	if precision < 1 || precision > 12 {
		return "", fmt.Errorf("rvh: the precision is %d, and 1 to 12 can be had", precision)
	}
	if longitude == 180 {
		longitude = -180
	}
	value, other := longitude, latitude
	low, high, otherLow, otherHigh := -180.0, 180.0, -90.0, 90.0
	var code strings.Builder
	for code.Len() < precision {
		number := 0
		for bit := 0; bit < 5; bit++ {
			middle := (low + high) / 2
			number *= 2
			if value >= middle {
				number++
				low = middle
			} else {
				high = middle
			}
			value, other = other, value
			low, high, otherLow, otherHigh = otherLow, otherHigh, low, high
		}
		code.WriteByte(letters[number])
	}
	return code.String(), nil
}

// SharedPrefix is how many characters two geohashes have in common, of which precision count.
func SharedPrefix(one, other string, precision int) int {
	n := 0
	for n < precision && n < len(one) && n < len(other) && one[n] == other[n] {
		n++
	}
	return n
}

// A GeoSet ranks nodes of the same region first.
type GeoSet struct {
	set       *NodeSet
	places    []string
	precision int
}

// NewGeoSet has the geohash of each node, of which precision characters count.
func NewGeoSet(set *NodeSet, geohashes []string, precision int) (*GeoSet, error) {
	if len(geohashes) != len(set.ids) {
		return nil, fmt.Errorf("rvh: %d geohashes for %d nodes", len(geohashes), len(set.ids))
	}
	for i, place := range geohashes {
		if err := checkGeohash(place); err != nil {
			return nil, fmt.Errorf("node %d: %w", i, err)
		}
	}
	if precision < 1 || precision > 12 {
		return nil, fmt.Errorf("rvh: the precision is %d, and 1 to 12 can be had", precision)
	}
	return &GeoSet{set, append([]string(nil), geohashes...), precision}, nil
}

func checkGeohash(place string) error {
	if len(place) < 1 || len(place) > 12 || strings.Trim(place, letters) != "" {
		return fmt.Errorf("rvh: %q is no geohash of 1 to 12 characters", place)
	}
	return nil
}

// Select gives the best k nodes for a key at a place, best first.
func (g *GeoSet) Select(key Key, geohash string, k int) ([]string, error) {
	if err := checkGeohash(geohash); err != nil {
		return nil, err
	}
	ids := g.set.Ranking(key)
	sort.SliceStable(ids, func(i, j int) bool { return g.shared(ids[i], geohash) > g.shared(ids[j], geohash) })
	return firstOf(ids, k)
}

func (g *GeoSet) shared(id, geohash string) int {
	return SharedPrefix(g.places[g.set.position[id]], geohash, g.precision)
}
