package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A Writer writes one file. The file appears under its name when it is complete,
// and replaces what was there. It is not safe for concurrent use.
type Writer struct {
	path string
	file *os.File // under a name of its own, until it is complete
	to   appender
	err  error // the first failure
}

// Create begins a file. It can be read by its owner alone: a history names hosts.
func Create(path string, h Header) (*Writer, error) {
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	pack, err := newPacker()
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	w := &Writer{path: path, file: file, to: appender{to: file, pack: pack}}
	if err := w.note(w.to.begin(&h)); err != nil {
		_ = w.Abandon()
		return nil, err
	}
	return w, nil
}

// Write adds records, as they are encoded in the history.
func (w *Writer) Write(records [][]byte) error {
	for _, record := range records {
		if w.err != nil {
			break
		}
		_ = w.note(w.to.add(record))
	}
	return w.err
}

// Records returns how many records were written.
func (w *Writer) Records() uint64 { return w.to.total + uint64(w.to.count) }

// Close completes the file, and gives it its name once it is safe on the disk. After
// an error there is no file.
func (w *Writer) Close() error {
	if w.err == nil {
		_ = w.note(w.to.end())
	}
	if w.err == nil {
		_ = w.note(w.file.Sync())
	}
	if w.err != nil {
		return errors.Join(w.err, w.Abandon())
	}
	name := w.file.Name()
	if err := w.note(w.file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	if err := w.note(os.Rename(name, w.path)); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return w.note(syncDir(filepath.Dir(w.path)))
}

// Abandon removes what was written. After Close it must not be called.
func (w *Writer) Abandon() error {
	_ = w.file.Close() // it is removed
	if err := os.Remove(w.file.Name()); err != nil {
		return fmt.Errorf("abandon %s: %w", w.path, err)
	}
	return nil
}

func (w *Writer) note(err error) error {
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("write the history to %s: %w", w.path, err)
	}
	return err
}

// syncDir makes the names in a directory safe on the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync the directory: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync the directory %s: %w", dir, err)
	}
	return nil
}
