package events

import (
	"fmt"
	"strings"
)

// CheckBudget reports whether a budget can have this name: 1 to MaxBudgetBytes
// letters, digits, dots, dashes and underscores. It is part of Redis keys,
// channel names and application_name.
func CheckBudget(name string) error {
	return checkPlain("budget name", name, MaxBudgetBytes)
}

// CheckService reports whether a service can have this name: 1 to MaxNameBytes
// letters, digits, dots, dashes and underscores.
func CheckService(name string) error {
	return checkPlain("service name", name, MaxNameBytes)
}

// CheckContainer reports whether a container can have this id: 1 to
// MaxContainerBytes letters, digits, dots, dashes and underscores.
func CheckContainer(id string) error {
	return checkPlain("container id", id, MaxContainerBytes)
}

// CheckHost reports whether text can stand as a host's name: up to MaxNameBytes
// printable ASCII characters. It may be empty: nothing depends on it.
func CheckHost(host string) error {
	if len(host) > MaxNameBytes {
		return fmt.Errorf("%w: host name has %d bytes, at most %d are allowed", ErrName, len(host), MaxNameBytes)
	}
	if !printable(host) {
		return fmt.Errorf("%w: host name %q has a character that cannot be printed", ErrName, host)
	}
	return nil
}

// printable reports whether the text is printable ASCII.
func printable(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// CleanHost makes any text a valid host name, for those who do not choose
// theirs: what cannot be printed becomes a question mark, what is over-long is
// cut.
func CleanHost(host string) string {
	host = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, host)
	return host[:min(len(host), MaxNameBytes)]
}

func checkPlain(what, name string, limit int) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: the %s is empty", ErrName, what)
	case len(name) > limit:
		return fmt.Errorf("%w: the %s %.16q… has %d bytes, at most %d are allowed", ErrName, what, name, len(name), limit)
	}
	for i := 0; i < len(name); i++ {
		if !isPlain(name[i]) {
			return fmt.Errorf("%w: the %s %q may hold only letters, digits, '.', '-' and '_'", ErrName, what, name)
		}
	}
	return nil
}

func isPlain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
}
