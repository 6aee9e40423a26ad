package cli

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type commandLine struct {
	Budget string `help:"Which one's."`

	Verify     struct{} `cmd:"" help:"Prove it."`
	Status     statusOf `cmd:"" help:"Show it."`
	Completion struct {
		Shell string `arg:"" enum:"bash,zsh,fish"`
	} `cmd:"" help:"Complete what is typed."`
}

type statusOf struct {
	At     string `help:"When."`
	Format string `enum:"text,json" default:"text" help:"What it's printed as."`
}

func nothing(string) (string, bool) { return "", false }

func TestCommand(t *testing.T) {
	t.Parallel()
	var c commandLine
	command, done, err := Program{Name: "probe"}.Command(&c, []string{"status", "--at", "7"}, nothing, &bytes.Buffer{})
	if command != "status" || done || err != nil || c.Status.At != "7" {
		t.Errorf("%q, %v, %v, %+v", command, done, err, c)
	}
	for args, want := range map[string]string{
		"status --budget": "--budget: a value is needed",
		"stat":            `unexpected argument stat`,
		"completion tcsh": `must be one of "bash","zsh","fish" but got "tcsh"`,
	} {
		_, done, err := Program{Name: "probe"}.Command(&c, strings.Fields(args), nothing, &bytes.Buffer{})
		if done || err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "try: probe --help") {
			t.Errorf("%s: %v, %v, want %q", args, done, err, want)
		}
	}
}

// TestBashCompletes lets a real bash complete.
func TestBashCompletes(t *testing.T) {
	t.Parallel()
	var script bytes.Buffer
	if _, done, err := (Program{Name: "probe"}).Command(&commandLine{}, []string{"completion", "bash"}, nothing, &script); !done || err != nil {
		t.Fatal(done, err)
	}
	for _, c := range []struct{ line, want string }{
		{"probe ", "verify status completion"},
		{"probe st", "status"},
		{"probe status --", "--at --format --help --budget"},
		{"probe status --format ", "text json"},
		{"probe status --format j", "json"},
		{"probe completion ", "bash zsh fish --help --budget"},
		{"probe verify x", ""},
	} {
		ask := script.String() + `
COMP_WORDS=(` + c.line + `)
[[ "` + c.line + `" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_probe
echo "${COMPREPLY[@]}"`
		out, err := exec.Command("bash", "-c", ask).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.line, err, out)
		}
		if diff := cmp.Diff(c.want, strings.TrimSpace(string(out))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.line, diff)
		}
	}
}

func TestOtherShells(t *testing.T) {
	t.Parallel()
	for shell, want := range map[string]string{
		"zsh":  "#compdef probe\n",
		"fish": `complete -c probe -n '__fish_seen_subcommand_from status' -l format -d 'What it\'s printed as.' -x -a 'text json'`,
	} {
		var script bytes.Buffer
		if _, done, err := (Program{Name: "probe"}).Command(&commandLine{}, []string{"completion", shell}, nothing, &script); !done || err != nil {
			t.Fatal(done, err)
		}
		if !strings.Contains(script.String(), want) {
			t.Errorf("%s: there is no %q in\n%s", shell, want, &script)
		}
	}
}
