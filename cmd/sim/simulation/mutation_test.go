package simulation_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/conncord/conncord/cmd/sim/simulation"
)

// root is the project's directory, from here.
const root = "../../.."

// quickly are options for what runs one world or a few: it is compiled in half the
// time and runs a third slower.
const quickly = "-gcflags=github.com/conncord/conncord/...=-l -dwarf=false"

// build builds the command with some of the sources edited.
func build(t *testing.T, edits []edit) string {
	t.Helper()
	dir := t.TempDir()
	// Without the state of git, and symbols that nobody reads, the packages are those
	// that other tests build; so they are compiled once.
	args := []string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(dir, "sim")}
	if len(edits) > 0 {
		args = append(args, "-overlay", overlay(t, dir, edits), quickly)
	}
	if out, err := exec.Command("go", append(args, "../")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(dir, "sim")
}

// overlay writes the edited sources into a directory, and what the go command has to
// know of them.
func overlay(t *testing.T, dir string, edits []edit) string {
	t.Helper()
	texts := map[string]string{}
	for _, e := range edits {
		text, ok := texts[e.file]
		if !ok {
			data, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				t.Fatal(err)
			}
			text = string(data)
		}
		if strings.Count(text, e.old) != 1 {
			t.Fatalf("%s holds this %d times, and should once:\n%s", e.file, strings.Count(text, e.old), e.old)
		}
		texts[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	list := struct{ Replace map[string]string }{map[string]string{}}
	for file, text := range texts {
		from, err := filepath.Abs(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		list.Replace[from] = to
	}
	data, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// -plans writes the smallest plan that shows each mutant to testdata.
var plans = flag.Bool("plans", false, "write the smallest plan that shows each mutant to testdata")

// keep writes the plan that the command printed to testdata.
func keep(t *testing.T, name, binary string, args ...string) {
	t.Helper()
	out, _ := exec.Command(binary, args...).Output()
	_, rest, _ := strings.Cut(string(out), "\nplan: ")
	plan, _, _ := strings.Cut(rest, "\n")
	file := "testdata/" + strings.NewReplacer(" ", "_", "'", "").Replace(name) + ".json"
	if err := os.WriteFile(file, []byte(plan+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

var verdict = regexp.MustCompile(`(?m)^sim: seed (\d+) fails: (\w+): .*$`)

// notice runs a mutant and returns the verdict and the check that noticed it, nil
// if it goes unnoticed.
func notice(t *testing.T, binary string, args ...string) [][]byte {
	t.Helper()
	out, err := exec.Command(binary, append([]string{"-quick"}, args...)...).CombinedOutput()
	if err == nil {
		return nil
	}
	var exit *exec.ExitError
	found := verdict.FindSubmatch(out)
	if !errors.As(err, &exit) || exit.ExitCode() != simulation.ExitFails || found == nil {
		t.Fatalf("it has no verdict: %v\n%s", err, out)
	}
	return found
}

// TestMutantsAreCaught: each mistake is noticed, by a check that says what is
// wrong. One that goes unnoticed is a check that is missing.
func TestMutantsAreCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the simulation many times")
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			binary := build(t, m.edits)
			var found [][]byte
			if m.plan != "" {
				found = notice(t, binary, "-plan", "testdata/"+m.plan+".json")
			} else if found = notice(t, binary, "-seed", strconv.Itoa(m.seed)); found == nil {
				t.Logf("seed %d does not show it any more", m.seed)
				found = notice(t, binary, "-seeds", strconv.Itoa(simulation.DefaultSeeds))
			}
			if found == nil {
				t.Fatal("it is not noticed")
			}
			if !slices.Contains(m.checks, string(found[2])) {
				t.Errorf("it is noticed by another check than it should: %s", found[0])
			}
			t.Logf("%s: %s", m.name, found[0])
			if *plans && m.plan == "" {
				keep(t, m.name, binary, "-seed", string(found[1]))
			}
		})
	}
}

// TestRegressions runs the plans that failed once.
func TestRegressions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no plans", err)
	}
	binary := build(t, nil)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			if found := notice(t, binary, "-plan", file); found != nil {
				trace := filepath.Join(t.ArtifactDir(), "trace")
				notice(t, binary, "-plan", file, "-trace", trace)
				t.Errorf("%s\n(the trace is in %s with -artifacts)", found[0], trace)
			}
		})
	}
}

// TestDefaultSeeds runs what "make sim" runs.
func TestDefaultSeeds(t *testing.T) {
	runSeeds(t, nil, simulation.DefaultSeeds)
}

// nextRule makes a program that knows one more version of the allocation rule.
var nextRule = []edit{
	{"events/policy.go", "const RuleVersion = 1", "const RuleVersion = 2"},
	{"arbiter/ledger/targets.go", "claim{priority: s.rule.Priority,", "claim{priority: l.policy.Rule*s.rule.Priority - l.policy.Rule + 1,"},
	{"cmd/sim/simulation/ideal.go", "		rule, _ := p.Find(m.box.member.Service)\n", "		rule, _ := p.Find(m.box.member.Service)\n		rule.Priority = p.Rule*rule.Priority - p.Rule + 1\n"},
}

// TestOldAndNewRules runs arbiters that know different versions of the allocation
// rule side by side, as they do while a new release is rolled out or back.
func TestOldAndNewRules(t *testing.T) {
	runSeeds(t, nextRule, simulation.DefaultSeeds/5)
}

func runSeeds(t *testing.T, edits []edit, seeds int) {
	t.Helper()
	t.Parallel()
	binary := build(t, edits)
	out, err := exec.Command(binary, "-seeds", strconv.Itoa(seeds)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
