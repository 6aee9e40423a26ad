package events

import "encoding/binary"

// A Head is what a record was made of: what the ledger needs to come to the same
// record again.
type Head struct {
	Sequence    uint64
	Incarnation uint64
	Epoch       uint64
	Ledger      int64
	Wall        int64
	Entry       string
	Intent      []byte // a part of the record's bytes
	Size        int
}

// ReadHead returns the head of an encoded record, which costs a small part of
// decoding it. It checks nothing that follows the head, and not all of the head:
// whoever goes by it compares the whole record with the one that follows from the
// head. False means that it must be decoded, because it is damaged or of another
// version.
func ReadHead(data []byte) (Head, bool) {
	s := scanner{left: data}
	s.expect(0x93) // three places
	s.expect(recordVersion)
	s.expect(0x9c) // twelve
	h := Head{
		Sequence: s.uint(), Incarnation: s.uint(), Epoch: s.uint(), Ledger: int64(s.uint()), Wall: int64(s.uint()),
		Entry: string(s.text()), Intent: s.binary(), Size: int(s.uint()),
	}
	ok := !s.failed && h.Ledger >= 0 && h.Wall >= 0 && h.Wall <= maxWall && h.Size >= 0 && len(h.Entry) <= MaxNameBytes && len(h.Intent) <= MaxOwnBytes
	return h, ok
}

// maxWall is the last wall time that a record can have, in Unix milliseconds: the end
// of the year 9999, beyond which RFC 3339 has no years.
const maxWall = 253_402_300_799_999

// A scanner passes over MessagePack as this package writes it. The first failure
// sticks.
type scanner struct {
	left   []byte
	failed bool
}

// next returns the next n bytes.
func (s *scanner) next(n int) []byte {
	if s.failed || n > len(s.left) {
		s.failed = true
		return nil
	}
	b := s.left[:n:n]
	s.left = s.left[n:]
	return b
}

func (s *scanner) code() byte {
	if b := s.next(1); b != nil {
		return b[0]
	}
	return 0
}

func (s *scanner) expect(code byte) { s.failed = s.code() != code || s.failed }

// number returns a big-endian number of so many bytes: 1, 2, 4 or 8.
func (s *scanner) number(bytes int) uint64 {
	b := s.next(bytes)
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	case 4:
		return uint64(binary.BigEndian.Uint32(b))
	case 8:
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (s *scanner) uint() uint64 {
	switch c := s.code(); {
	case c < 0x80:
		return uint64(c)
	case c >= 0xcc && c <= 0xcf:
		return s.number(1 << (c - 0xcc))
	}
	s.failed = true
	return 0
}

func (s *scanner) text() []byte {
	switch c := s.code(); {
	case c >= 0xa0 && c <= 0xbf:
		return s.next(int(c & 0x1f))
	case c == 0xd9:
		return s.next(int(s.number(1)))
	}
	s.failed = true
	return nil
}

func (s *scanner) binary() []byte {
	if c := s.code(); c >= 0xc4 && c <= 0xc6 {
		return s.next(int(s.number(1 << (c - 0xc4))))
	}
	s.failed = true
	return nil
}
