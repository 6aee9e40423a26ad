package trial

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/cmd/chaos/world"
)

// What is judged of arbiters that look at the database has to fail with arbiters
// that do not do it.
func TestWhatTheDatabaseIsLookedAtForIsMissed(t *testing.T) {
	for name, c := range map[string]struct {
		eyes world.Eyes
		want string
	}{
		"kill-and-regrant":       {world.Books, "was killed: after 3s"},
		"strangers":              {world.Books, "there is no room for another stranger beside 1"},
		"container-pause-fenced": {world.Looking, "stands still without a lease and has"},
	} {
		t.Run(name, func(t *testing.T) {
			all := kinds()
			k := *all[slices.IndexFunc(all, func(k *kind) bool { return k.name == name })]
			k.eyes = c.eyes
			var out, log bytes.Buffer
			opts := options{duration: 30 * time.Second, seed: 1, ttl: 4 * time.Second, kinds: []*kind{&k}, eyes: c.eyes}
			status := judged(t.Context(), opts, &out, &log)
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if last := lines[len(lines)-1]; status != ExitFailed || !strings.Contains(last, c.want) {
				t.Errorf("status %d, last line %q, want %q", status, last, c.want)
			}
		})
	}
}
