package web

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	// defaultLimit is how many containers a page has: about two screens.
	defaultLimit = 50

	// maxLimit bounds a page, because each row is explained in a few sentences.
	// Whoever wants all reads /api/status.
	maxLimit = 500

	// maxSearch bounds what is searched for. No id or host is longer.
	maxSearch = 96
)

// A query is which containers are asked for.
type query struct {
	service string // empty: of any
	search  string // in lower case; part of the id, the host or the service's name
	waiting bool   // only those with a place in the queue
	key     int    // of sortKeys
	falling bool
	offset  int
	limit   int
}

// parseQuery reads a query. Its errors are for the reader.
func parseQuery(v url.Values) (q query, err error) {
	q = query{service: v.Get("service"), search: strings.ToLower(strings.TrimSpace(v.Get("q")))}
	if len(q.search) > maxSearch {
		return q, fmt.Errorf("the search q has %d bytes: use %d at most", len(q.search), maxSearch)
	}
	if name := v.Get("sort"); name != "" {
		q.key = slices.IndexFunc(sortKeys, func(k sortKey) bool { return k.name == name })
		if q.key < 0 {
			return q, fmt.Errorf("containers cannot be sorted by %.32q: use one of %s", name, sortKeyNames())
		}
	}
	switch order := v.Get("order"); order {
	case "", "asc":
	case "desc":
		q.falling = true
	default:
		return q, fmt.Errorf("the order %.32q is not known: use asc or desc", order)
	}
	switch waiting := v.Get("waiting"); waiting {
	case "", "false":
	case "true":
		q.waiting = true
	default:
		return q, fmt.Errorf("waiting=%.32q is not known: use true or false", waiting)
	}
	if q.offset, err = number(v, "offset", 0, 0, 1<<31-1); err != nil {
		return q, err
	}
	q.limit, err = number(v, "limit", defaultLimit, 1, maxLimit)
	return q, err
}

func number(v url.Values, name string, otherwise, least, most int) (int, error) {
	text := v.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("the %s %.32q is not a number from %d to %d", name, text, least, most)
	}
	return n, nil
}

// matches reports whether the container is asked for.
func (q *query) matches(r row) bool {
	switch {
	case q.service != "" && q.service != r.service, q.waiting && r.Position == 0:
		return false
	case q.search == "":
		return true
	}
	return strings.Contains(strings.ToLower(r.ID), q.search) ||
		strings.Contains(strings.ToLower(r.Host), q.search) ||
		strings.Contains(strings.ToLower(r.service), q.search)
}
