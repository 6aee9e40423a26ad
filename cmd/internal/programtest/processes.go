package programtest

import (
	"os"
	"path/filepath"
	"strings"
)

// Processes returns the command lines of all that the run has started and that
// still runs: found by the mark in their environment, or, since Redis writes over
// that, by their directory. It finds none outside Linux, where there is no /proc.
func (r *Run) Processes() (left []string) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, process := range processes {
		environ, _ := os.ReadFile(process + "/environ")
		where, _ := os.Readlink(process + "/cwd")
		if strings.Contains(string(environ), r.mark) || strings.HasPrefix(where, r.dir) {
			command, _ := os.ReadFile(process + "/cmdline")
			left = append(left, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return left
}
