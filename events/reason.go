package events

import "fmt"

// A Reason says why a lease is as it is, or why an intent was not accepted.
type Reason uint8

// The reasons. Their numbers stand in histories: never change one, only add.
const (
	NoReason Reason = 0

	// Why a container has fewer units than it wants.
	Shortage Reason = 1 // others hold them; it grows when units come free
	Capped   Reason = 2 // it asked for more than the database's limit
	Barrier  Reason = 3 // history was lost: nobody gains until the barrier opens
	Maximum  Reason = 4 // its service's maximum is reached
	Recalled Reason = 5 // others need them more
	Crowded  Reason = 6 // the database has less room than configured: its limits, or connections past Conncord
	Silent   Reason = 7 // its heartbeats have stopped

	// Why a lease ended.
	Expired  Reason = 10 // the container was not heard in time
	Released Reason = 11 // the container left
	Cleaned  Reason = 12 // an operator had the expired ones cleaned up
	Lapsed   Reason = 13 // it stayed expired for one more TTL
	Vanished Reason = 14 // it was expired and silent, and the database shows nothing of it any more

	// Why an intent was not accepted.
	Unreadable      Reason = 20 // not an intent: see the raw bytes
	Oversize        Reason = 21 // larger than MaxEntryBytes
	UnknownVersion  Reason = 22 // of a schema version newer than the arbiter's
	Forged          Reason = 23 // of a kind that only the arbiter itself may say
	Stale           Reason = 24 // its counter was applied before, or a later one was
	UnknownSender   Reason = 25 // the container is not registered: it must register first
	ZeroRequest     Reason = 26 // a request for no connections
	UnlistedRefused Reason = 27 // the policy admits only the services that it lists
	TooMany         Reason = 28 // the budget has as many containers or services as it can
	OtherService    Reason = 29 // the container is registered for another service
	NoPolicy        Reason = 30 // no policy is in force yet
)

var reasonTexts = map[Reason]string{
	NoReason: "",
	Shortage: "others hold the connections; it grows when some come free",
	Capped:   "it asked for more than the database allows",
	Barrier:  "the history was lost and nobody gains until the recovery barrier opens",
	Maximum:  "its service's maximum is reached",
	Recalled: "services that are due more need the connections",
	Crowded:  "the database has less room than configured: its own limits, or connections opened past Conncord, take it",
	Silent:   "its heartbeats have stopped: it opens no connection until it has been heard",

	Expired:  "the container was not heard in time",
	Released: "the container left",
	Cleaned:  "expired leases were cleaned up",
	Lapsed:   "the container was not heard for one more lease duration",
	Vanished: "the container is silent and the database shows none of its connections",

	Unreadable:      "the entry is not an intent",
	Oversize:        "the entry is too large",
	UnknownVersion:  "the entry's schema version is newer than the arbiter's: upgrade the arbiter",
	Forged:          "only the arbiter itself may say this",
	Stale:           "this intent or a later one was applied before",
	UnknownSender:   "the container is not registered",
	ZeroRequest:     "a request must ask for at least 1 connection",
	UnlistedRefused: "the policy admits only the services that it lists",
	TooMany:         "the budget has as many containers or services as it can have",
	OtherService:    "the container is registered for another service",
	NoPolicy:        "no policy is in force yet",
}

var reasonCodes = map[Reason]string{
	NoReason: "",
	Shortage: "shortage", Capped: "capped", Barrier: "barrier", Maximum: "maximum", Recalled: "recalled",
	Crowded: "crowded", Silent: "silent",
	Expired: "expired", Released: "released", Cleaned: "cleaned", Lapsed: "lapsed", Vanished: "vanished",
	Unreadable: "unreadable", Oversize: "oversize", UnknownVersion: "unknown_version", Forged: "forged", Stale: "stale",
	UnknownSender: "unknown_sender", ZeroRequest: "zero_request", UnlistedRefused: "unlisted_refused",
	TooMany: "too_many", OtherService: "other_service", NoPolicy: "no_policy",
}

// Code names the reason for programs; it never changes.
func (r Reason) Code() string {
	if s, ok := reasonCodes[r]; ok {
		return s
	}
	return fmt.Sprintf("reason_%d", uint8(r))
}

func (r Reason) String() string {
	if s, ok := reasonTexts[r]; ok {
		return s
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Refusal reports whether the reason says that an intent was not accepted.
func (r Reason) Refusal() bool { return r >= Unreadable }
