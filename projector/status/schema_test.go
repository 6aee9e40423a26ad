package status_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/projector/status"
)

// TestDocumented compares the tables of docs/status.md with the JSON's fields.
func TestDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/status.md")
	if err != nil {
		t.Fatal(err)
	}
	_, schema, found := strings.Cut(string(doc), "## The JSON")
	if !found {
		t.Fatal("docs/status.md has no section The JSON")
	}
	schema, _, _ = strings.Cut(schema, "## Alerts")
	parts := regexp.MustCompile(`(?m)^An? (service|container|alert):$`).Split(schema, -1)
	types := []any{status.Status{}, status.Service{}, status.Container{}, status.Alert{}}
	if len(parts) != len(types) {
		t.Fatalf("%d tables, want %d", len(parts), len(types))
	}
	for i, v := range types {
		var want, got []string
		for field := range reflect.TypeOf(v).Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			want = append(want, name)
		}
		for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(parts[i], -1) {
			got = append(got, row[1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("fields of %T in docs/status.md, in their order (-code +document):\n%s", v, diff)
		}
	}
}
