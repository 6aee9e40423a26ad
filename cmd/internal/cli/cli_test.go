package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

type flags struct {
	Wait Duration `from:"TEST_WAIT" default:"300" help:"How long."`
	Size int      `from:"TEST_SIZE" default:"1" help:"How many."`
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args    string
		env     map[string]string
		want    flags
		wantErr string
	}{
		{"", nil, flags{Duration(300 * time.Second), 1}, ""},
		{"--wait=5", nil, flags{Duration(5 * time.Second), 1}, ""},
		{"--wait=250ms --size=2", map[string]string{"TEST_SIZE": "7"}, flags{Duration(250 * time.Millisecond), 2}, ""},
		{"", map[string]string{"TEST_SIZE": "7", "TEST_WAIT": ""}, flags{Duration(300 * time.Second), 7}, ""},
		{"--wait=soon", nil, flags{}, `--wait (TEST_WAIT): "soon" is not a duration: write whole seconds, such as 300, or a number with a unit, such as 30s or 5m; try: probe --help`},
		{"", map[string]string{"TEST_SIZE": "big"}, flags{}, `--size (TEST_SIZE): a whole number is needed, not "big"`},
		{"--none", nil, flags{}, "unknown flag --none; try: probe --help"},
	} {
		var got flags
		done, err := Program{Name: "probe"}.Parse(&got, strings.Fields(c.args), func(name string) (string, bool) {
			value, ok := c.env[name]
			return value, ok
		}, &bytes.Buffer{})
		switch {
		case done:
			t.Errorf("%q: done", c.args)
		case c.wantErr != "":
			if err == nil || !strings.Contains(err.Error(), c.wantErr) {
				t.Errorf("%q: error %v, want %q", c.args, err, c.wantErr)
			}
		case err != nil || got != c.want:
			t.Errorf("%q: %+v, %v, want %+v", c.args, got, err, c.want)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Setenv("COLUMNS", "100")
	var out bytes.Buffer
	done, err := Program{Name: "probe", Description: "Probes."}.Parse(&flags{}, []string{"--help"}, func(string) (string, bool) { return "", false }, &out)
	if !done || err != nil || !strings.Contains(out.String(), "How long. [$TEST_WAIT]") {
		t.Errorf("done %v, %v:\n%s", done, err, &out)
	}
}
