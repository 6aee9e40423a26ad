package events

import (
	"crypto/sha256"
	"encoding/hex"
	"math"

	"github.com/vmihailenco/msgpack/v5"
)

// A Hash is a link of the history's chain: the first 16 bytes of the SHA-256 of
// the link before and the record.
type Hash [16]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// hashHead is the head of a binary of 16 bytes. It stands before the hash, at
// the end of an encoded record.
const hashHead = "\xc4\x10"

// recordVersion is the schema version that this program writes.
const recordVersion = 1

// recordUpcasters[v-1] lifts a record of version v to v+1.
var recordUpcasters []upcaster

// maxRecordBytes bounds a record: the parked intent and, at the worst, a
// decision for every container.
const maxRecordBytes = MaxOwnBytes + MaxDecisions*(MaxContainerBytes+64)

// EncodeRecord returns the entry for the record, linked to the hash of the
// record before it, and sets rec.Hash. The entry is
// [version, [fields…], hash].
func EncodeRecord(rec *Record, prev Hash) []byte {
	w := newWriter()
	w.array(3)
	w.uint(recordVersion)
	w.array(12)
	w.uint(rec.Sequence)
	w.uint(rec.Incarnation)
	w.uint(rec.Epoch)
	w.uint(uint64(rec.Ledger))
	w.uint(uint64(rec.Wall))
	w.str(rec.Entry)
	w.bytes(rec.Intent)
	w.int(rec.Size)
	w.uint(uint64(rec.Refused))
	w.int(rec.Available)
	w.int(rec.Charged)
	w.array(len(rec.Decisions))
	for i := range rec.Decisions {
		d := &rec.Decisions[i]
		w.array(7)
		w.uint(uint64(d.Verb))
		w.str(d.Container)
		w.str(d.Lease)
		w.int(d.Units)
		w.int(d.Charge)
		w.int(d.Fallback)
		w.uint(uint64(d.Reason))
	}
	rec.Hash = link(prev, w.buf.Bytes())
	w.bytes(rec.Hash[:])
	return w.done()
}

// VerifyLink reports whether an encoded record's hash follows from the hash of
// the record before it and its own bytes.
func VerifyLink(data []byte, prev Hash) bool {
	at := len(data) - len(Hash{})
	if at < len(hashHead) {
		return false
	}
	body, head := data[:at-len(hashHead)], data[at-len(hashHead):at]
	return string(head) == hashHead && link(prev, body) == Hash(data[at:])
}

func link(prev Hash, body []byte) Hash {
	h := sha256.New()
	h.Write(prev[:])
	h.Write(body)
	var sum [sha256.Size]byte
	return Hash(h.Sum(sum[:0])[:len(Hash{})])
}

// DecodeRecord reads an entry of the history. Every failure is a
// [*DecodeError]. It does not check the hash: see [VerifyLink].
func DecodeRecord(data []byte) (*Record, error) {
	if len(data) > maxRecordBytes {
		return nil, &DecodeError{What: "record", At: "entry", Err: ErrOversize}
	}
	r := newReader("record", data)
	rec := &Record{}
	r.array("entry", 3)
	version := r.version(recordVersion)
	r.lift("fields", version, recordUpcasters)
	r.array("fields", 12)
	rec.Sequence = r.uint("sequence", math.MaxInt64)
	rec.Incarnation = r.uint("incarnation", math.MaxUint64)
	rec.Epoch = r.uint("epoch", math.MaxInt64)
	rec.Ledger = int64(r.uint("ledger time", math.MaxInt64))
	rec.Wall = int64(r.uint("wall time", maxWall))
	rec.Entry = r.text("inbox entry", MaxNameBytes, nil)
	rec.Intent = r.bytes("intent", MaxOwnBytes)
	rec.Size = int(r.uint("size", math.MaxInt32))
	rec.Refused = Reason(r.uint("refused", math.MaxUint8))
	rec.Available = r.units("available")
	rec.Charged = int(r.uint("charged", MaxUnits*MaxContainers))
	if n := r.arrayUpTo("decisions", MaxDecisions); n > 0 {
		rec.Decisions = make([]Decision, n)
		for i := range rec.Decisions {
			decodeDecision(r, &rec.Decisions[i])
		}
	}
	if h := r.bytes("hash", len(Hash{})); r.err == nil {
		if len(h) != len(Hash{}) {
			r.fail("hash", ErrMalformed)
		} else {
			rec.Hash = Hash(h)
		}
	}
	if err := r.finish(); err != nil {
		return nil, err
	}
	return rec, nil
}

// PlaceRecord returns where an encoded record stands in the history, without
// reading the rest of it. Every failure is a [*DecodeError].
func PlaceRecord(data []byte) (incarnation, sequence uint64, err error) {
	r := newReader("record", data)
	r.array("entry", 3)
	r.lift("fields", r.version(recordVersion), recordUpcasters)
	r.array("fields", 12)
	sequence = r.uint("sequence", math.MaxInt64)
	incarnation = r.uint("incarnation", math.MaxUint64)
	if r.err != nil {
		sequence, incarnation = 0, 0
	}
	msgpack.PutDecoder(r.dec)
	return incarnation, sequence, r.err
}

func decodeDecision(r *reader, d *Decision) {
	r.array("decision", 7)
	d.Verb = Verb(r.uint("verb", uint64(lastVerb)))
	d.Container = r.text("container", MaxContainerBytes, nil)
	d.Lease = r.text("lease", MaxNameBytes, nil)
	d.Units = r.units("units")
	d.Charge = r.units("charge")
	d.Fallback = r.units("fallback")
	d.Reason = Reason(r.uint("reason", math.MaxUint8))
}
