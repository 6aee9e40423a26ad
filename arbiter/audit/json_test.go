package audit

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
)

// The JSON that programs read stays as it is recorded.
func TestJSON(t *testing.T) {
	t.Parallel()
	s := story()
	write := func(name string, value any) {
		t.Helper()
		data, err := json.MarshalIndent(value, "", "  ")
		must(t, err)
		golden(t, name, append(data, '\n'))
	}
	write("report.json", verify(t, &tape{records: slices.Delete(slices.Clone(s.records), 10, 12)}))
	write("report_clean.json", verify(t, &tape{records: s.records}))
	story, err := ExplainContainer(context.Background(), &tape{records: s.records}, "viewer-1")
	must(t, err)
	write("container.json", story)
}
