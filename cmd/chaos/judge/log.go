package judge

import (
	"regexp"
	"strings"

	"github.com/conncord/conncord/cmd/internal/census"
)

// broken matches what a program logs only when something is wrong with itself.
var broken = regexp.MustCompile(`level=ERROR|DATA RACE|^panic: |^fatal error: |unexpected fault address`)

// Broken reports whether a log line says that a program is broken.
func Broken(line string) bool { return broken.MatchString(line) }

// Refuses reports whether a line of PostgreSQL's log, which begins with a role, says
// that a connection of that role was refused because there were too many.
func Refuses(line string) (role string, refused bool) {
	role, _, _ = strings.Cut(line, " ")
	return role, census.Refusals(line) > 0
}
