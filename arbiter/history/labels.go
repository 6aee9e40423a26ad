package history

import (
	"fmt"
	"slices"
	"strings"

	"github.com/conncord/conncord/events"
)

// maxLabels bounds the services that one history can name when it is anonymized. At
// most 64 take part at once, but an intent that is refused may name any.
const maxLabels = 4096

// labelStep is how far apart the first names are numbered: names that come later and
// belong between two get a number between theirs.
const labelStep = 10

// labels gives names others that stand in the same order. As it does not know which
// names will come, it names those that come between two after the earlier one, with
// letters behind it.
type labels struct {
	prefix string
	known  []string // sorted
	labels []string // of them, and so sorted too
}

func newLabels(prefix string) *labels { return &labels{prefix: prefix} }

// reserve gives labels to all the names, if these are the first.
func (l *labels) reserve(names []string) error {
	if len(l.known) > 0 {
		return nil
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	for i, name := range names {
		l.known = append(l.known, name)
		l.labels = append(l.labels, fmt.Sprintf("%s%03d", l.prefix, (i+1)*labelStep))
	}
	return nil
}

// label returns the name's label.
func (l *labels) label(name string) (string, error) {
	i, ok := slices.BinarySearch(l.known, name)
	if ok {
		return l.labels[i], nil
	}
	if len(l.known) == maxLabels {
		return "", fmt.Errorf("more than %d services are named: they cannot be replaced in their order", maxLabels)
	}
	low, high := "", ""
	if i > 0 {
		low = strings.TrimPrefix(l.labels[i-1], l.prefix)
	}
	if i < len(l.labels) {
		high = strings.TrimPrefix(l.labels[i], l.prefix)
	}
	label := l.prefix + between(low, high)
	if len(label) > events.MaxNameBytes {
		return "", fmt.Errorf("too many services are named in an order for which there are no other names: the %d-th does not fit in", len(l.known)+1)
	}
	l.known = slices.Insert(l.known, i, name)
	l.labels = slices.Insert(l.labels, i, label)
	return label, nil
}

// digits are what numbers are written with, in ascending order of their bytes.
const digits = "0123456789abcdefghijklmnopqrstuvwxyz"

// between returns a text that stands between two others in the order of bytes and does
// not end with a 0; an empty low is the beginning, an empty high the end. Texts are
// read as fractions.
func between(low, high string) string {
	var b strings.Builder
	for at := 0; ; at++ {
		d, e := 0, len(digits)
		if at < len(low) {
			d = strings.IndexByte(digits, low[at])
		}
		if high != "" {
			e = strings.IndexByte(digits, high[at])
		}
		switch {
		case e-d > 1:
			b.WriteByte(digits[(d+e)/2])
			return b.String()
		case e-d == 1:
			high = "" // whatever follows is smaller
		}
		b.WriteByte(digits[d])
	}
}
