package arbiter_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// searchTime bounds the search for an order. Where there is one it takes a
// fraction of a second.
const searchTime = 2 * time.Minute

// patient is the policy of these histories: no lease runs out while one is made.
func patient() events.Policy {
	p := policy()
	p.TTL = events.MaxTTL
	return p
}

// Three leaders are killed while five containers contend, two of them between a
// commit and its reply. What the containers said and saw is what they would have
// seen of one ledger that takes each intent at one moment between its sending
// and its answer.
func TestLinearizable(t *testing.T) {
	const kills = 3
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := newRig(t, servertest.SharedRedis(t).URL())
			acts := r.contend(seed, 12, kills)
			if led := own(r.audit(), events.Lead); len(led) < kills+1 {
				t.Errorf("%d leaderships: not all leaders were killed", len(led))
			}
			began := time.Now()
			wantLinearizable(t, acts)
			t.Logf("%d acts, checked in %v", len(acts), time.Since(began).Round(time.Millisecond))
		})
	}
}

// recorded names the history that TestRecordedHistory checks: one that a failed
// test left, or else one of a good run with three kills, which every later ledger
// must find linearizable as well.
var recorded = flag.String("history", "testdata/linearizable.json", "the recorded history for TestRecordedHistory")

func TestRecordedHistory(t *testing.T) {
	data, err := os.ReadFile(*recorded)
	must(t, err)
	var acts []act
	must(t, json.Unmarshal(data, &acts))
	for i := range acts { // what was written in an older version means what it meant
		if len(acts[i].Saw) > 0 {
			g, err := events.DecodeGrant(acts[i].Saw)
			must(t, err)
			acts[i].Saw = events.EncodeGrant(g)
		}
	}
	wantLinearizable(t, acts)
}

// wantLinearizable checks a history. One that is not linearizable, or for which
// that was not found out in time, is left in two files: the acts, and a picture
// for a browser.
func wantLinearizable(t *testing.T, acts []act) {
	t.Helper()
	result := porcupine.CheckOperationsTimeout(sequentially(patient()), operations(acts), searchTime)
	if result == porcupine.Ok {
		return
	}
	dir := failures(t)
	data, err := json.Marshal(acts)
	must(t, err)
	path := filepath.Join(dir, "history.json")
	must(t, os.WriteFile(path, data, 0o600))
	t.Errorf("linearizable: %s, of %d acts\nto check them again: go test -run TestRecordedHistory ./arbiter -history %s", result, len(acts), path)
	model := sequentially(patient())
	_, info := porcupine.CheckOperationsVerbose(model, operations(acts), searchTime)
	picture := filepath.Join(dir, "history.html")
	must(t, porcupine.VisualizePath(model, info, picture))
	t.Errorf("to see how far an order can be found: open %s", picture)
}

// failures is where a failed test leaves what it found: with go test -artifacts
// among the artifacts, else in a directory that stays.
func failures(t *testing.T) string {
	t.Helper()
	if f := flag.Lookup("test.artifacts"); f != nil && f.Value.String() == "true" {
		return t.ArtifactDir()
	}
	dir, err := os.MkdirTemp("", "conncord-history-")
	must(t, err)
	return dir
}
