package servertest

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// ErrNotInstalled is returned when a server's program is not on this machine.
// The error itself is a [NotInstalledError], which says what to do.
var ErrNotInstalled = errors.New("not installed")

// NotInstalledError names a missing program and how to get it. It matches
// [ErrNotInstalled].
type NotInstalledError struct {
	Binary string // the program that was looked for, as in "redis-server"
	Hint   string // a sentence for the person at the machine
}

func (e *NotInstalledError) Error() string {
	return fmt.Sprintf("%s is %v: %s", e.Binary, ErrNotInstalled, e.Hint)
}

// Is makes errors.Is(err, ErrNotInstalled) true.
func (e *NotInstalledError) Is(target error) bool { return target == ErrNotInstalled }

func notInstalled(binary string) error {
	what, apt, brew := "the PostgreSQL server (not only its client)", "postgresql", "postgresql@17"
	if binary == redisBinary {
		what, apt, brew = "Redis", "redis-server", "redis"
	}
	hint := fmt.Sprintf("install %s with the system's package manager and put %s on the PATH", what, binary)
	if _, err := os.Stat("/etc/debian_version"); err == nil {
		hint = fmt.Sprintf("run \"make deps\" or \"apt-get install %s\"", apt)
	} else if runtime.GOOS == "darwin" {
		hint = fmt.Sprintf("run \"brew install %s\"", brew)
	}
	return &NotInstalledError{Binary: binary, Hint: hint}
}
