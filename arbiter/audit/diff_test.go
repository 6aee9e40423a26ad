package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	s := story()
	var text, data bytes.Buffer
	for _, m := range [][2]uint64{{3, 10}, {10, 16}, {18, 21}, {21, 31}, {9, 9}, {16, 5}} {
		a, b, err := Between(context.Background(), &tape{records: s.records}, Moment{Sequence: m[0]}, Moment{Sequence: m[1]})
		must(t, err)
		changes := Diff(a, b)
		must(t, changes.Print(&text))
		fmt.Fprintln(&text, "----")
		if m[0] == 10 {
			e := json.NewEncoder(&data)
			e.SetIndent("", "  ")
			must(t, e.Encode(changes))
		}
	}
	golden(t, "diff.txt", text.Bytes())
	golden(t, "diff.json", data.Bytes())
}
