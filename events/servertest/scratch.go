package servertest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// scratchPrefix starts the names of our directories; sweepOrphans removes
// nothing else.
const scratchPrefix = "conncord-servertest-"

// scratch is a server's own directory, with its socket, its configuration and,
// unless the caller named another place, its data.
//
// The process that made it holds a lock on it. The lock vanishes with the
// process, however that ends, which is how a later one can tell a directory
// that nobody will remove any more.
type scratch struct {
	path string
	lock *os.File
}

// newScratch makes a directory that belongs to the user cred, or to our own
// user when cred is nil, and can be entered by no other.
func newScratch(cred *syscall.Credential) (*scratch, error) {
	base, err := scratchBase(cred)
	if err != nil {
		return nil, err
	}
	sweepOrphans(base)
	path, err := os.MkdirTemp(base, scratchPrefix)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(path)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	s := &scratch{path: path, lock: lock}
	if cred != nil {
		if err := os.Chown(path, int(cred.Uid), int(cred.Gid)); err != nil {
			return nil, errors.Join(err, s.remove())
		}
	}
	return s, nil
}

// join returns the path of something in the directory.
func (s *scratch) join(name string) string { return filepath.Join(s.path, name) }

// remove removes the directory and gives up the lock.
func (s *scratch) remove() error {
	return errors.Join(os.RemoveAll(s.path), s.lock.Close())
}

// scratchBase finds a directory for temporary files that the user cred can
// reach and whose name is short enough for a unix socket in it. TMPDIR may be
// neither: it can lie in root's home, or be a long path on macOS.
func scratchBase(cred *syscall.Credential) (string, error) {
	candidates := []string{os.TempDir(), "/tmp", "/var/tmp"}
	for _, dir := range candidates {
		if abs, err := filepath.Abs(dir); err == nil && len(abs) <= maxScratchBase && reachable(abs, cred) {
			return abs, nil
		}
	}
	return "", fmt.Errorf("no usable directory for temporary files among %q (it must be reachable for the server's user and no longer than %d bytes)", candidates, maxScratchBase)
}

// reachable reports whether cred may pass through every directory of path. It
// only knows the permissions for everybody, which is what counts for a user
// who owns nothing there.
func reachable(path string, cred *syscall.Credential) bool {
	for dir := path; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || !info.IsDir() {
			return false
		}
		if cred != nil && info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

// sweepOrphans removes directories whose owner died without doing so. It does
// what it can: a directory of another user stays.
func sweepOrphans(base string) {
	found, _ := filepath.Glob(filepath.Join(base, scratchPrefix+"*"))
	for _, path := range found {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < orphanAge {
			continue
		}
		lock, err := lockDir(path)
		if err != nil {
			continue // its owner lives
		}
		_ = os.RemoveAll(path)
		_ = lock.Close()
	}
}

// lockDir takes the lock on a directory, or fails at once when another
// process has it. The lock is not inherited by the servers we start.
func lockDir(path string) (*os.File, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), dir.Close())
	}
	return dir, nil
}
