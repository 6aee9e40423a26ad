package events

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
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
	Archive string // string: incarnation and sequence of the newest record that is archived; none: there is no archive
	Status  string // string: the newest status, as JSON; and the channel on which it is published
	Office  string // string with expiry: which projector publishes the status
	mailbox string // prefix
	beat    string // prefix
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
		Archive: p + "archive",
		Status:  p + "status",
		Office:  p + "projector",
		mailbox: p + "mailbox:",
		beat:    p + "beat:",
	}
}

// Mailbox names both the key that holds a container's present grant and the
// channel that rings when it changes.
func (k Keys) Mailbox(container string) string { return k.mailbox + container }

// Beat names the key that holds a container's newest heartbeat.
func (k Keys) Beat(container string) string { return k.beat + container }

// LeaseID names a lease: four hexadecimal digits of the incarnation and the
// sequence of the record that began it, in base 36. It is unique within an
// incarnation.
func LeaseID(incarnation, sequence uint64) string {
	return fmt.Sprintf("%04x", incarnation>>48) + strconv.FormatUint(sequence, 36)
}

// LeaseBegan returns the sequence of the record that began a lease, 0 for what is
// no lease's name.
func LeaseBegan(lease string) uint64 {
	if len(lease) < 4 {
		return 0
	}
	sequence, err := strconv.ParseUint(lease[4:], 36, 64)
	if err != nil {
		return 0
	}
	return sequence
}

// maxLabel is how much of a budget's or service's name application_name has
// room for: PostgreSQL cuts it at 63 bytes.
const maxLabel = 16

// tagBytes is how much of a container id's hash names it in application_name.
// With MaxContainers containers, two share a tag once in a million budgets.
const tagBytes = 6

// applicationPrefix is how every connection of Conncord's begins its name in
// PostgreSQL.
const applicationPrefix = "conncord:"

// Tag is a container's name in application_name: short, without a character
// that means something there, and the same for the container's whole life,
// while its leases come and go.
func Tag(container string) string {
	sum := sha256.Sum256([]byte(container))
	return hex.EncodeToString(sum[:tagBytes])
}

// ApplicationName is what a container's connection calls itself in PostgreSQL:
// "conncord:budget:service:tag". Over-long names of budgets and services are
// shortened and made distinct by four digits of their hash.
func ApplicationName(budget, service, container string) string {
	return applicationPrefix + label(budget) + ":" + label(service) + ":" + Tag(container)
}

// ObserverName is what the connection calls itself by which the arbiter looks
// at the database. No container's name can be equal to it.
func ObserverName(budget string) string {
	return applicationPrefix + label(budget) + ":@arbiter"
}

// ParseApplicationName takes a container's application_name apart. The service
// is shortened as [ApplicationName] did it. Names of other budgets, of
// observers and of strangers are not ok.
func ParseApplicationName(budget, name string) (service, tag string, ok bool) {
	rest, ok := strings.CutPrefix(name, applicationPrefix+label(budget)+":")
	if !ok {
		return "", "", false
	}
	service, tag, ok = strings.Cut(rest, ":")
	if !ok || !isLabel(service) || !isTag(tag) {
		return "", "", false
	}
	return service, tag, true
}

func label(name string) string {
	if len(name) <= maxLabel {
		return name
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	return fmt.Sprintf("%s~%04x", name[:maxLabel-5], h.Sum32()&0xffff)
}

// isLabel reports whether label can have made this of a service's name.
func isLabel(text string) bool {
	const cut = maxLabel - 5
	if len(text) == maxLabel && text[cut] == '~' {
		return isHex(text[cut+1:]) && checkPlain("label", text[:cut], cut) == nil
	}
	return checkPlain("label", text, maxLabel) == nil
}

func isTag(text string) bool { return len(text) == 2*tagBytes && isHex(text) }

// isHex reports whether the text consists of lower-case hexadecimal digits.
func isHex(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
