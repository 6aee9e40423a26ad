package simulation

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A dataset is what a Redis server holds.
type dataset map[string]*item

// An item is one key's value: a string, a hash or a stream.
type item struct {
	text    string
	hash    map[string]string
	stream  *stream
	expires time.Duration // 0: never
}

// A stream is append-only, so that images of it can share its entries.
type stream struct {
	entries []entry
	last    id
	added   int64
}

type entry struct {
	id     id
	fields []string // names and values in turn
}

// An id is the id of a stream's entry.
type id struct{ first, second uint64 }

func (a id) String() string {
	return strconv.FormatUint(a.first, 10) + "-" + strconv.FormatUint(a.second, 10)
}

func (a id) less(b id) bool {
	return a.first < b.first || a.first == b.first && a.second < b.second
}

// parseID reads an id; one without a second part has the given one.
func parseID(s string, second uint64) (a id, ok bool) {
	head, tail, two := strings.Cut(s, "-")
	first, err := strconv.ParseUint(head, 10, 64)
	if err != nil {
		return a, false
	}
	if two {
		if second, err = strconv.ParseUint(tail, 10, 64); err != nil {
			return a, false
		}
	}
	return id{first, second}, true
}

// image returns a copy that later changes do not reach.
func (d dataset) image() dataset {
	c := make(dataset, len(d))
	for key, it := range d {
		dup := *it
		dup.hash = maps.Clone(it.hash)
		if s := it.stream; s != nil {
			dup.stream = &stream{entries: s.entries[:len(s.entries):len(s.entries)], last: s.last, added: s.added}
		}
		c[key] = &dup
	}
	return c
}

// after returns up to count entries behind an id.
func (s *stream) after(a id, count int) []entry {
	if s == nil {
		return nil
	}
	i, found := slices.BinarySearchFunc(s.entries, a, func(e entry, a id) int {
		switch {
		case e.id == a:
			return 0
		case e.id.less(a):
			return -1
		}
		return 1
	})
	if found {
		i++
	}
	rest := s.entries[i:]
	return rest[:min(len(rest), count)]
}

// trim removes the entries before an id, in whole nodes of a hundred, as Redis
// does when it is told that it need not be exact.
func (s *stream) trim(least id) {
	const node = 100
	n := 0
	for n < len(s.entries) && s.entries[n].id.less(least) {
		n++
	}
	if n < len(s.entries) {
		n -= n % node
	}
	s.entries = s.entries[n:]
}
