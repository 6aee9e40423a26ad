package servertest

import (
	"os"
	"strings"
)

// serverEnv is the environment servers run in: ours, without what would make
// them behave differently from one machine to the next. PG* variables change
// PostgreSQL's defaults, and the C locale fixes the language of its messages.
func serverEnv() []string {
	var env []string
	for _, entry := range os.Environ() {
		if strings.HasPrefix(entry, "PG") || strings.HasPrefix(entry, "LC_") || strings.HasPrefix(entry, "LANG") {
			continue
		}
		env = append(env, entry)
	}
	return append(env, "LC_ALL=C")
}
