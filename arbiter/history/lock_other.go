//go:build !unix

package history

import (
	"errors"
	"os"
)

// lock takes the lock of a directory.
func lock(string) (*os.File, error) {
	return nil, errors.New("an archive can be written only on Unix, where directories can be locked")
}
