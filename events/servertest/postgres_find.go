package servertest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// postgresPrograms must all be in one directory, so that they are of one
// version.
var postgresPrograms = []string{"initdb", "postgres"}

// postgresPlaces are where distributions put PostgreSQL's server programs,
// which most of them keep off the PATH.
var postgresPlaces = []string{
	"/usr/lib/postgresql/*/bin",          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                   // PostgreSQL's own packages for RHEL and Fedora
	"/opt/homebrew/opt/postgresql@*/bin", // Homebrew on Apple silicon
	"/usr/local/opt/postgresql@*/bin",    // Homebrew on Intel
	"/opt/local/lib/postgresql*/bin",     // MacPorts
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	"/Library/PostgreSQL/*/bin", // EDB's installer
	"/usr/local/pgsql/bin",      // built from source
}

// postgresBinDir finds PostgreSQL's server programs: on the PATH, else where
// pg_config says, else the newest in the usual places.
func postgresBinDir() (string, error) {
	var candidates []string
	if path, err := exec.LookPath("initdb"); err == nil {
		// A link on the PATH leads to the directory with the rest.
		if path, err = filepath.EvalSymlinks(path); err == nil {
			candidates = append(candidates, filepath.Dir(path))
		}
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		candidates = append(candidates, strings.TrimSpace(string(out)))
	}
	candidates = append(candidates, newestFirst(postgresPlaces)...)
	missing := postgresPrograms[0]
	for _, dir := range candidates {
		i := slices.IndexFunc(postgresPrograms, func(name string) bool {
			_, err := exec.LookPath(filepath.Join(dir, name))
			return err != nil
		})
		if i < 0 {
			return dir, nil
		}
		missing = postgresPrograms[i]
	}
	return "", notInstalled(missing)
}

var versionNumber = regexp.MustCompile(`\d+(\.\d+)?`)

// newestFirst returns the directories that match the patterns, ordered by the
// first number in their path, the highest first.
func newestFirst(patterns []string) []string {
	var dirs []string
	for _, pattern := range patterns {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, found...)
	}
	version := func(dir string) float64 {
		v, _ := strconv.ParseFloat(versionNumber.FindString(dir), 64)
		return v
	}
	slices.SortStableFunc(dirs, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	return dirs
}

// unprivileged returns the user that PostgreSQL is to run as when this process
// is root's, and nil otherwise.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	var errs []error
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no other user for it: %w", errors.Join(errs...))
}
