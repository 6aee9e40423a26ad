package audit

import (
	"fmt"
	"strconv"

	"github.com/conncord/conncord/events"
)

// A Kind says in what way a history is not what was published.
type Kind string

// The kinds. Their names are stable.
const (
	Altered     Kind = "altered"     // its content is not what its hash was made of
	Missing     Kind = "missing"     // it is not there
	Reordered   Kind = "reordered"   // it stands behind a later one
	Forged      Kind = "forged"      // its hash is right, but what it says does not follow from what was before
	Duplicated  Kind = "duplicated"  // it stands there a second time
	Undecodable Kind = "undecodable" // it cannot be read
	Limit       Kind = "limit"       // it raises the charges above what is available
)

// A Divergence is a place where a history is not what follows from its beginning.
// It is not changed once it was returned.
type Divergence struct {
	Sequence    uint64 `json:"sequence"` // of the record; of several missing ones the first
	Incarnation ID     `json:"incarnation"`
	Kind        Kind   `json:"kind"`
	Text        string `json:"text"` // what is wrong, in one sentence

	// Expected is what follows from what was before and from the intent that was
	// published, and Published what was; nil where there is none.
	Expected  *events.Record `json:"-"`
	Published *events.Record `json:"-"`
	Diff      string         `json:"diff,omitempty"` // from expected (-) to published (+); not of those that a report leaves out
}

// Error returns the sentence that says what is wrong.
func (d *Divergence) Error() string { return d.Text }

// ID is an incarnation. It is written in hexadecimal.
type ID uint64

func (id ID) String() string { return fmt.Sprintf("%016x", uint64(id)) }

// MarshalText returns the hexadecimal digits.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *ID) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 16, 64)
	if err != nil {
		return fmt.Errorf("%.40q is no incarnation: it has 16 hexadecimal digits", text)
	}
	*id = ID(n)
	return nil
}

// compare fills in what was expected and what was published.
func (d *Divergence) compare(expected, published *events.Record) *Divergence {
	d.Expected, d.Published = expected, published
	return d
}
