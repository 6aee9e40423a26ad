package events

import (
	"encoding/json"
	"errors"
	flags "flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// -record writes the fixtures of the present version that do not exist yet. It
// never touches one that does: what an older program wrote must stay as it was.
var record = flags.Bool("record", false, "write fixtures that do not exist yet")

// version1 is what the files of testdata/v1 hold, each value beside a .txt that
// a person can read. Entries may be added; none may be changed.
var version1 = map[string]any{
	"intent_register": &Intent{
		Kind: Register, Container: "web-7f9c-1a2b3c4d", Counter: 1, Host: "web-7f9c",
		Introduce: Introduce{Service: "api", Strict: true, TTL: Millis(60_000)},
		Demand:    Demand{Want: 20, Ceiling: 3, Held: 2, InUse: 1, Waiting: 4},
	},
	"intent_request": &Intent{
		Kind: Request, Container: "web-7f9c-1a2b3c4d", Counter: 2,
		Demand: Demand{Want: 300, Ceiling: 20, Held: 20, InUse: 19, Waiting: 70_000, Incarnation: 1<<64 - 2, Seen: 12},
	},
	"intent_renew": &Intent{
		Kind: Renew, Container: "web-7f9c-1a2b3c4d", Counter: 1 << 40,
		Demand: Demand{Want: 10, Ceiling: 10, Held: 9, InUse: 8, Incarnation: 7, Seen: 1 << 33},
	},
	"intent_release": &Intent{Kind: Release, Container: "a", Counter: 4, Demand: Demand{Ceiling: 5, Incarnation: 7, Seen: 3}},
	"intent_cleanup": &Intent{Kind: Cleanup, Container: "operator", Counter: 5},
	"intent_policy": &Intent{Kind: SetPolicy, Policy: Policy{
		Rule: 1, Plan: "free", Limit: 60, Reserve: 6, TTL: Millis(300_000), Margin: Millis(1500), Unlisted: UnlistedService(),
		Services: []Service{{"api", 8, 3, 0}, {"scraper", 10, 5, 30}},
	}},
	"intent_begin":  &Intent{Kind: Begin, Barrier: Millis(300_000)},
	"intent_lead":   &Intent{Kind: Lead, Arbiter: "arbiter-1", Host: "host 1"},
	"intent_resign": &Intent{Kind: Resign, Arbiter: "arbiter-1"},
	"intent_tick":   &Intent{Kind: Tick},
	"record_own":    linked(&Record{Sequence: 1, Incarnation: 1 << 63, Epoch: 3, Intent: []byte{}, Available: 54}),
	"record_decisions": linked(&Record{
		Sequence: 1000, Incarnation: 77, Epoch: 4, Ledger: 123_456, Wall: 1_800_000_000_000, Entry: "1800000000000-1",
		Intent: []byte{0x95, 3, 1}, Size: 3, Available: 54, Charged: 53,
		Decisions: []Decision{
			{Grown, "web-7f9c-1a2b3c4d", "0001rs", 20, 20, 3, NoReason},
			{Recalling, "scraper-1", "0001a", 10, 30, 5, Recalled},
			{Ended, "viewer-1", "0001b", 0, 0, 0, Lapsed},
		},
	}),
	"record_refused": linked(&Record{
		Sequence: 1001, Incarnation: 77, Epoch: 4, Ledger: 123_457, Wall: 1_800_000_000_001, Entry: "1800000000000-2",
		Intent: []byte(strings.Repeat("x", MaxParkedBytes)), Size: 9000, Refused: Oversize, Available: 54, Charged: 53,
	}),
	"grant_waiting": &Grant{
		Verb: Recalling, Container: "scraper-1", Incarnation: 77, Epoch: 4, Sequence: 1000, Ack: 9, Anchor: 8, Lease: "0001a",
		Units: 10, Charge: 30, Want: 40, Fallback: 5, Minimum: 5, TTL: Millis(300_000), Margin: Millis(1500), Reason: Recalled,
		Position: 2, Holders: []Holder{{"scraper", 10, 20}, {"api", 8, 16}},
	},
	"grant_ended": &Grant{Verb: Ended, Container: "a", Incarnation: 77, Epoch: 4, Sequence: 1002, Lease: "0001b", Reason: Released, TTL: Millis(1000)},
	"snapshot": &Snapshot{
		Incarnation: 77, Epoch: 4, Sequence: 1000, Now: 123_456, Hash: Hash{1, 2, 3}, Barrier: 30_000, FloorUntil: 60_000, Ranks: 9, Refused: 2,
		Policy: Policy{Rule: 1, Plan: "free", Limit: 60, Reserve: 6, TTL: Millis(300_000), Margin: Millis(1500), Unlisted: UnlistedService(), Services: BuiltinServices()},
		Containers: []ContainerState{
			{ID: "scraper-1", Host: "h", Service: "scraper", Rank: 1, Strict: true, Asked: 60_000, TTL: 60_000, Deadline: 180_000, Counter: 9, Anchor: 8,
				Lease: "0001a", Want: 40, Units: 10, Charge: 30, Fallback: 5, Bound: 6, Changed: 1000, Written: 1000, Held: 30, InUse: 29, Waiting: 1},
			{ID: "viewer-1", Service: "viewer", Rank: 9, Lost: true, TTL: 300_000, Deadline: 400_000, Lease: "0001b", Charge: 2, Fallback: 2, Bound: 2},
		},
	},
	"snapshot_empty": &Snapshot{},
}

// version2 is what the files of testdata/v2 hold: what version 2 of a kind of
// entry added.
var version2 = map[string]any{
	"intent_silence": &Intent{Kind: Silence, Tags: []string{"00ff10203040", "a1b2c3d4e5f6"}},
	"intent_observe": &Intent{Kind: Observe, Observation: Observation{
		Since: 1000, Window: Millis(1500), Headroom: 2, Usable: 57, Bound: MaxUnits, Platform: 4, External: 20, Named: true, Clear: true,
		Held: []Held{{"00ff10203040", 12, false}, {"a1b2c3d4e5f6", 0, true}},
	}},
	"intent_observe_nothing": &Intent{Kind: Observe},
	"grant_suspended": &Grant{
		Verb: Confirmed, Container: "scraper-1", Incarnation: 77, Epoch: 4, Sequence: 1003, Ack: 9, Anchor: 8, Lease: "0001a",
		Units: 7, Charge: 7, Want: 40, Fallback: 5, Minimum: 5, TTL: Millis(300_000), Margin: Millis(1500), Reason: Silent,
		Window: Millis(1500), Suspended: true,
	},
	"snapshot_observed": &Snapshot{
		Incarnation: 77, Epoch: 4, Sequence: 1003, Now: 123_456, Hash: Hash{1, 2, 3}, Ranks: 9,
		Policy: Policy{Rule: 1, Plan: "free", Limit: 60, Reserve: 6, TTL: Millis(300_000), Margin: Millis(1500), Unlisted: UnlistedService(), Services: BuiltinServices()},
		Look:   Observation{Since: 1002, Window: Millis(1500), Usable: 57, Bound: 57, External: 3, Named: true, Held: []Held{{"a1b2c3d4e5f6", 2, false}}},
		Containers: []ContainerState{{
			ID: "scraper-1", Service: "scraper", Rank: 1, TTL: 60_000, Deadline: 180_000, Counter: 9, Anchor: 8, Lease: "0001a",
			Want: 40, Units: 7, Charge: 7, Fallback: 5, Bound: 6, Changed: 1003, Written: 1003,
			Silent: 1002, Fell: 1003, Asleep: true, Shown: 8, Over: 1,
		}},
	},
}

// fixtures are the folders of testdata.
var fixtures = map[string]map[string]any{"v1": version1, "v2": version2}

func linked(r *Record) *Record {
	EncodeRecord(r, Hash{9, 9})
	return r
}

func typeOf(name string) entryType {
	for _, e := range entryTypes {
		if strings.HasPrefix(name, e.name) {
			return e
		}
	}
	panic(name)
}

func TestFixtures(t *testing.T) {
	for dir, entries := range fixtures {
		testFixtures(t, dir, entries)
	}
}

func testFixtures(t *testing.T, dir string, entries map[string]any) {
	for name, want := range entries {
		t.Run(name, func(t *testing.T) {
			e := typeOf(name)
			file := filepath.Join("testdata", dir, name)
			if *record {
				var data []byte
				if r, ok := want.(*Record); ok {
					data = EncodeRecord(r, Hash{9, 9})
				} else {
					data = e.encode(want)
				}
				text, err := json.MarshalIndent(want, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(keep(file+".bin", data), keep(file+".txt", append(text, '\n'))); err != nil {
					t.Fatal(err)
				}
			}
			data, err := os.ReadFile(file + ".bin")
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if e.name == "record" && !VerifyLink(data, Hash{9, 9}) {
				t.Error("the hash does not follow")
			}
		})
	}
}

// Every file is read by the test above.
func TestFixturesAreAllRead(t *testing.T) {
	for dir, entries := range fixtures {
		files, err := filepath.Glob(filepath.Join("testdata", dir, "*.bin"))
		if err != nil || len(files) != len(entries) {
			t.Errorf("%s: %d files, %d entries in the table: %v", dir, len(files), len(entries), err)
		}
	}
}

// keep writes a file that does not exist yet.
func keep(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func TestRecordingKeepsWhatIsThere(t *testing.T) {
	name := filepath.Join(t.TempDir(), "fixture")
	for _, text := range []string{"first", "second"} {
		if err := keep(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != "first" {
		t.Errorf("it holds %q, %v", got, err)
	}
}
