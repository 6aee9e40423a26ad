package replay

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/conncord/conncord/arbiter/audit"
	"github.com/conncord/conncord/events"
)

// spoils are what somebody could do to a history, by the name of the bad history,
// which begins with the reason that must be named. Each gets the records of a
// recorded history and the index of one of its intents.
var spoils = map[string]func(records [][]byte, at int) [][]byte{
	"altered-want": func(records [][]byte, at int) [][]byte {
		rec := decode(records[at])
		in, _ := events.DecodeIntent(rec.Intent)
		in.Want++
		hash := rec.Hash
		rec.Intent = events.EncodeIntent(in)
		data := events.EncodeRecord(rec, decode(records[at-1]).Hash)
		copy(data[len(data)-len(hash):], hash[:])
		records[at] = data
		return records
	},
	"missing-record": func(records [][]byte, at int) [][]byte { return slices.Delete(records, at, at+1) },
	"missing-ten":    func(records [][]byte, at int) [][]byte { return slices.Delete(records, at, at+10) },
	"reordered-two": func(records [][]byte, at int) [][]byte {
		records[at], records[at+1] = records[at+1], records[at]
		return records
	},
	"duplicated-record": func(records [][]byte, at int) [][]byte { return slices.Insert(records, at, records[at]) },
	"undecodable-start": func(records [][]byte, at int) [][]byte { records[at] = records[at][3:]; return records },
	// These have hashes that are right: whoever did it knows how the chain is made.
	"forged-decision": relinked(func(rec *events.Record) { rec.Decisions[0].Units++ }),
	"forged-charges":  relinked(func(rec *events.Record) { rec.Charged-- }),
	"forged-epoch":    relinked(func(rec *events.Record) { rec.Epoch-- }),
	"forged-intent": relinked(func(rec *events.Record) {
		in, _ := events.DecodeIntent(rec.Intent)
		in.Want += 7
		rec.Intent = events.EncodeIntent(in)
	}),
}

// relinked changes one record, and makes the chain anew from there on.
func relinked(change func(*events.Record)) func([][]byte, int) [][]byte {
	return func(records [][]byte, at int) [][]byte {
		prev := decode(records[at-1]).Hash
		for i := at; i < len(records); i++ {
			rec := decode(records[i])
			if i == at {
				change(rec)
			}
			records[i] = events.EncodeRecord(rec, prev)
			prev = rec.Hash
		}
		return records
	}
}

func decode(data []byte) *events.Record {
	rec, err := events.DecodeRecord(data)
	if err != nil {
		panic(err)
	}
	return rec
}

// badIn is the record that is spoiled: one that asks and is granted something, in the
// middle of a history of one incarnation.
func badIn(records [][]byte) int {
	for i := len(records) / 2; ; i++ {
		rec := decode(records[i])
		in, err := events.DecodeIntent(rec.Intent)
		if err == nil && in.Kind == events.Request && len(rec.Decisions) > 0 {
			return i
		}
	}
}

// TestBad: each bad history is named as what it is, at the record where it is.
func TestBad(t *testing.T) {
	t.Parallel()
	if *update {
		for name, spoil := range spoils {
			all, header := records(t, "testdata/recorded/demo.history")
			write(t, filepath.Join("testdata", "bad", name+".history"), header, spoil(all, badIn(all)))
		}
	}
	paths, err := filepath.Glob("testdata/bad/*.history")
	if err != nil || len(paths) != len(spoils) {
		t.Fatalf("%d bad histories, want %d: %v", len(paths), len(spoils), err)
	}
	good, _ := records(t, "testdata/recorded/demo.history")
	at := decode(good[badIn(good)]).Sequence
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".history")
		exit, stdout, stderr := run(t, "verify", "--from", path)
		if exit != ExitDivergence || stderr != "" {
			t.Errorf("%s: exit status %d\n%s%s", name, exit, stdout, stderr)
		}
		var report audit.Report
		if exit, stdout, _ := run(t, "verify", "--json", "--from", path); exit != ExitDivergence {
			t.Errorf("%s with --json: exit status %d", name, exit)
		} else {
			decodeJSON(t, stdout, &report)
		}
		if len(report.Divergences) == 0 {
			t.Errorf("%s: nothing was found", name)
			continue
		}
		d := report.Divergences[0]
		kind, _, _ := strings.Cut(name, "-")
		if string(d.Kind) != kind || d.Sequence != at {
			t.Errorf("%s: %s at %d, want it at %d: %s", name, d.Kind, d.Sequence, at, d.Text)
		}
		for _, command := range []string{"timeline", "timeline --html", "whatif --limit=30", "whatif --limit=30 --json"} {
			exit, stdout, stderr := run(t, append(strings.Fields(command), "--from", path)...)
			if exit != ExitFailure || !strings.Contains(stdout, "Not all of the history is in this") || !strings.Contains(stderr, "Not all of the history is in this") {
				t.Errorf("%s of %s: exit status %d, %s", command, name, exit, stderr)
			}
		}
		if !strings.Contains(stdout, d.Text) || d.Diff != "" && !strings.Contains(stdout, d.Diff) {
			t.Errorf("%s: the text does not say what the JSON says:\n%s", name, stdout)
		}
	}
}
