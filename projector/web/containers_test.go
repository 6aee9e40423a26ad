package web_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/projector/status"
	"github.com/conncord/conncord/projector/web"
)

// A listing is a page of containers as a reader sees it.
type listing struct {
	Sequence             uint64
	Total, Offset, Limit int
	Sort, Order          string
	Containers           []struct {
		status.Container
		Service, Why string
	}
	Error string
}

func list(t *testing.T, h http.Handler, query string) (listing, int) {
	t.Helper()
	r := get(h, "/api/containers"+query)
	var l listing
	if err := json.Unmarshal([]byte(body(t, r)), &l); err != nil {
		t.Fatal(err)
	}
	return l, r.StatusCode
}

// ids are the beginnings of the ids: service and number.
func (l *listing) ids() string {
	var ids []string
	for _, c := range l.Containers {
		ids = append(ids, c.ID[:strings.LastIndex(c.ID, "-")])
	}
	return strings.Join(ids, " ")
}

func TestContainers(t *testing.T) {
	t.Parallel()
	h := web.Handler(web.Config{Source: newSource(busy())})
	for _, c := range []struct {
		query string
		total int
		want  string
	}{
		{"", 9, "scraper-1 scraper-2 api-1 api-2 viewer-1 viewer-2 monitoring-1 monitoring-2 external-1"},
		{"?order=desc", 9, "external-1 monitoring-2 monitoring-1 viewer-2 viewer-1 api-2 api-1 scraper-2 scraper-1"},
		{"?service=api", 2, "api-1 api-2"},
		{"?service=nobody", 0, ""},
		{"?q=SCRAPER-1", 1, "scraper-1"},
		{"?q=n8n-viewer", 2, "viewer-1 viewer-2"},
		{"?q=%20api%20", 2, "api-1 api-2"},
		{"?q=nothing", 0, ""},
		{"?sort=connections&order=desc&limit=3", 9, "scraper-1 api-1 scraper-2"},
		{"?sort=connections&order=desc&limit=3&offset=3", 9, "api-2 viewer-2 viewer-1"},
		{"?sort=in_use&limit=2", 9, "monitoring-2 external-1"},
		{"?sort=granted&order=desc&limit=2", 9, "scraper-1 api-1"},
		{"?sort=want&order=desc&limit=2", 9, "scraper-1 api-1"},
		{"?sort=waiting&order=desc&limit=3", 9, "scraper-1 api-1 api-2"},
		{"?sort=container_id&limit=3", 9, "api-1 api-2 external-1"},
		{"?sort=host&order=desc&limit=2", 9, "viewer-2 viewer-1"},
		{"?sort=state&order=desc&limit=3", 9, "external-1 monitoring-2 scraper-1"},
		{"?sort=position", 9, "scraper-1 api-1 api-2 viewer-1 scraper-2 viewer-2 monitoring-1 monitoring-2 external-1"},
		{"?waiting=true&sort=position", 4, "scraper-1 api-1 api-2 viewer-1"},
		{"?sort=reserved_at&limit=2", 9, "external-1 monitoring-2"},
		{"?sort=heard_at&limit=1", 9, "scraper-1"},
		{"?offset=8", 9, "external-1"},
		{"?offset=9", 9, ""},
		{"?limit=500&unknown=1", 9, "scraper-1 scraper-2 api-1 api-2 viewer-1 viewer-2 monitoring-1 monitoring-2 external-1"},
	} {
		l, code := list(t, h, c.query)
		if code != 200 || l.Total != c.total {
			t.Errorf("%s: %d with %d in total, want 200 with %d", c.query, code, l.Total, c.total)
		}
		if diff := cmp.Diff(c.want, l.ids()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.query, diff)
		}
	}
}

func TestContainersRefused(t *testing.T) {
	t.Parallel()
	h := web.Handler(web.Config{Source: newSource(busy())})
	for query, want := range map[string]string{
		"?limit=0":                         `This cannot be answered: the limit "0" is not a number from 1 to 500.`,
		"?limit=501":                       `This cannot be answered: the limit "501" is not a number from 1 to 500.`,
		"?limit=many":                      `This cannot be answered: the limit "many" is not a number from 1 to 500.`,
		"?offset=-1":                       `This cannot be answered: the offset "-1" is not a number from 0 to 2147483647.`,
		"?offset=99999999999999999999":     `This cannot be answered: the offset "99999999999999999999" is not a number from 0 to 2147483647.`,
		"?order=up":                        `This cannot be answered: the order "up" is not known: use asc or desc.`,
		"?waiting=maybe":                   `This cannot be answered: waiting="maybe" is not known: use true or false.`,
		"?sort=luck":                       `This cannot be answered: containers cannot be sorted by "luck": use one of service, container_id, host, state, connections, granted, in_use, waiting, want, position, reserved_at, heard_at.`,
		"?q=" + strings.Repeat("long", 25): `This cannot be answered: the search q has 100 bytes: use 96 at most.`,
	} {
		l, code := list(t, h, query)
		if code != 400 {
			t.Errorf("%.40s: %d, want 400", query, code)
		}
		if diff := cmp.Diff(want, l.Error); diff != "" {
			t.Errorf("%.40s (-want +got):\n%s", query, diff)
		}
	}
}

func TestContainersAreExplained(t *testing.T) {
	t.Parallel()
	st := busy()
	st.Sequence = 77
	h := web.Handler(web.Config{Source: newSource(st)})
	l, _ := list(t, h, "")
	if l.Sequence != 77 || l.Limit != web.DefaultLimit || l.Sort != "service" || l.Order != "asc" {
		t.Errorf("sequence %d, limit %d, sort %s %s, want 77, %d, service asc", l.Sequence, l.Limit, l.Sort, l.Order, web.DefaultLimit)
	}
	for _, c := range l.Containers {
		want, service := st.Find(c.ID)
		if diff := cmp.Diff(*want, c.Container); diff != "" {
			t.Errorf("%s in the list (-want +got):\n%s", c.ID, diff)
		}
		if c.Service != service || c.Why != st.Explain(c.ID) || c.Why == "" {
			t.Errorf("%s is of %q because %q, want %q because %q", c.ID, c.Service, c.Why, service, st.Explain(c.ID))
		}
		r := get(h, "/api/containers/"+c.ID)
		var one struct {
			status.Container
			Service, Why string
		}
		if err := json.Unmarshal([]byte(body(t, r)), &one); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, one); diff != "" {
			t.Errorf("%s alone (-in the list +alone):\n%s", c.ID, diff)
		}
	}
}

// TestPagesAreTheWhole puts the pages of a large budget together: nobody is missing
// and nobody is there twice.
func TestPagesAreTheWhole(t *testing.T) {
	t.Parallel()
	st := crowd(1100)
	h := web.Handler(web.Config{Source: newSource(st)})
	for _, query := range []string{"?limit=500", "?limit=499&sort=in_use&order=desc", "?limit=500&sort=position"} {
		var ids []string
		for {
			l, _ := list(t, h, query+"&offset="+jsonOf(len(ids)))
			if len(l.Containers) > web.MaxLimit || l.Total != 1100 {
				t.Fatalf("%s: %d on a page, %d in total", query, len(l.Containers), l.Total)
			}
			if len(l.Containers) == 0 {
				break
			}
			for _, c := range l.Containers {
				ids = append(ids, c.ID)
			}
		}
		slices.Sort(ids)
		if n := len(slices.Compact(ids)); n != 1100 {
			t.Errorf("%s: the pages name %d containers, want 1100", query, n)
		}
	}
}

func jsonOf(value any) string {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(b)
}
