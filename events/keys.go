package events

import (
	"fmt"
	"hash/fnv"
	"strconv"
)

// Keys names everything that one budget keeps in Redis. Each name carries the
// budget as its hash tag, so that in a cluster all of a budget lies in one slot
// and one script can touch it atomically.
type Keys struct {
	Budget  string
	Intents string // stream: the inbox, written by containers
	Grants  string // stream: the history, written by the leading arbiter alone
	Head    string // hash: incarnation, epoch, sequence, cursor and hash of the history's end; the epoch that was resigned last
	Leader  string // string with expiry: which arbiter leads
	Snap    string // string: the ledger's state at some sequence
	mailbox string // prefix
}

// NewKeys returns the keys of the budget. The name must satisfy [CheckBudget].
func NewKeys(budget string) Keys {
	p := "conncord:{" + budget + "}:"
	return Keys{
		Budget:  budget,
		Intents: p + "intents",
		Grants:  p + "grants",
		Head:    p + "head",
		Leader:  p + "leader",
		Snap:    p + "snapshot",
		mailbox: p + "mailbox:",
	}
}

// Mailbox names both the key that holds a container's present grant and the
// channel that rings when it changes.
func (k Keys) Mailbox(container string) string { return k.mailbox + container }

// LeaseID names a lease: four hexadecimal digits of the incarnation and the
// sequence of the record that began it, in base 36. It is unique within an
// incarnation and short enough for application_name.
func LeaseID(incarnation, sequence uint64) string {
	return fmt.Sprintf("%04x", incarnation>>48) + strconv.FormatUint(sequence, 36)
}

// maxLabel is how much of a budget's or service's name application_name has
// room for: PostgreSQL cuts it at 63 bytes.
const maxLabel = 16

// ApplicationName is what a connection under a lease calls itself in
// PostgreSQL: "conncord:budget:service:lease:epoch". Over-long names of budgets
// and services are shortened and made distinct by four digits of their hash.
func ApplicationName(budget, service, lease string, epoch uint64) string {
	return "conncord:" + label(budget) + ":" + label(service) + ":" + lease + ":" + strconv.FormatUint(epoch, 36)
}

func label(name string) string {
	if len(name) <= maxLabel {
		return name
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	return fmt.Sprintf("%s~%04x", name[:maxLabel-5], h.Sum32()&0xffff)
}
