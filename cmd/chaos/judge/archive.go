package judge

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxRecord bounds one record when the archive is read.
const maxRecord = 64 << 20

// An archive keeps every record that was ever in the history, in the order in
// which they were seen: what Redis forgets, it does not.
type archive struct {
	file *os.File
	out  *bufio.Writer
}

func newArchive(path string) (*archive, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &archive{file, bufio.NewWriter(file)}, nil
}

func (a *archive) add(record []byte) error {
	var size [4]byte
	binary.BigEndian.PutUint32(size[:], uint32(len(record)))
	_, err := a.out.Write(size[:])
	if err == nil {
		_, err = a.out.Write(record)
	}
	return err
}

func (a *archive) close() error { return errors.Join(a.out.Flush(), a.file.Close()) }

// Totals are what a whole archive holds.
type Totals struct {
	Records, Incarnations, Leaderships int
}

// Verify re-derives every incarnation of an archive from its first record, and
// compares every byte.
func Verify(path string) (t Totals, err error) {
	file, err := os.Open(path)
	if err != nil {
		return t, err
	}
	defer file.Close()
	in := bufio.NewReader(file)
	all, d := newRegister(), &deriver{}
	for {
		record, err := readRecord(in)
		if errors.Is(err, io.EOF) {
			t.Incarnations, t.Leaderships = len(all.begun), len(all.holders)
			return t, nil
		}
		if err != nil {
			return t, fmt.Errorf("read the archive: %w", err)
		}
		if _, _, err := d.take(record, all); err != nil {
			return t, err
		}
		t.Records++
	}
}

func readRecord(in io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(in, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxRecord {
		return nil, fmt.Errorf("a record of %d bytes", n)
	}
	record := make([]byte, n)
	_, err := io.ReadFull(in, record)
	return record, err
}
