package events

import (
	"math"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// Generators of every type's valid values.

var (
	genID   = rapid.StringMatching(`[a-zA-Z0-9._-]{1,20}`)
	genHost = rapid.StringMatching(`[ -~]{0,20}`)
	genUnit = rapid.IntRange(0, MaxUnits)
	genBig  = rapid.Uint64Range(0, math.MaxInt64)
	genHash = rapid.Map(rapid.SliceOfN(rapid.Byte(), 16, 16), func(b []byte) Hash { return Hash(b) })
)

func genMillis(limit time.Duration) *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.Int64Range(0, limit.Milliseconds()), Millis)
}

var genPolicy = rapid.Custom(func(t *rapid.T) Policy {
	ttl := Millis(rapid.Int64Range(1000, MaxTTL.Milliseconds()).Draw(t, "ttl"))
	p := Policy{
		Rule: 1, Plan: genHost.Draw(t, "plan"), Limit: rapid.IntRange(1, MaxUnits).Draw(t, "limit"),
		TTL: ttl, Margin: genMillis(ttl/4).Draw(t, "margin"),
		Unlisted: Service{Priority: rapid.IntRange(0, MaxPriority).Draw(t, "unlisted")},
	}
	p.Reserve = rapid.IntRange(0, p.Limit-1).Draw(t, "reserve")
	left := p.Available()
	for _, name := range rapid.SliceOfNDistinct(genID, 0, 5, rapid.ID).Draw(t, "names") {
		s := Service{Name: name, Priority: rapid.IntRange(1, MaxPriority).Draw(t, "priority"), Minimum: rapid.IntRange(0, left).Draw(t, "minimum")}
		left -= s.Minimum
		if rapid.Bool().Draw(t, "bounded") {
			s.Maximum = rapid.IntRange(s.Minimum, MaxUnits).Draw(t, "maximum")
		}
		p.Services = append(p.Services, s)
	}
	SortServices(p.Services)
	return p
})

var genIntent = rapid.Custom(func(t *rapid.T) Intent {
	in := Intent{Kind: Kind(rapid.IntRange(1, int(lastKind)).Draw(t, "kind")), Counter: genBig.Draw(t, "counter")}
	if !in.Kind.Own() {
		in.Container = genID.Draw(t, "container")
	}
	switch in.Kind {
	case Register, Request, Renew:
		in.Want, in.Ceiling, in.Held = genUnit.Draw(t, "want"), genUnit.Draw(t, "ceiling"), genUnit.Draw(t, "held")
		in.InUse, in.Waiting = genUnit.Draw(t, "in use"), genUnit.Draw(t, "waiting")
		in.Incarnation, in.Seen = rapid.Uint64().Draw(t, "incarnation"), genBig.Draw(t, "seen")
		if in.Kind == Register {
			in.Service, in.Host = genID.Draw(t, "service"), genHost.Draw(t, "host")
			in.Strict, in.TTL = rapid.Bool().Draw(t, "strict"), genMillis(MaxTTL).Draw(t, "ttl")
		}
	case Release:
		in.Ceiling, in.Incarnation, in.Seen = genUnit.Draw(t, "ceiling"), rapid.Uint64().Draw(t, "incarnation"), genBig.Draw(t, "seen")
	case SetPolicy:
		in.Policy = genPolicy.Draw(t, "policy")
	case Begin:
		in.Barrier = genMillis(2*MaxTTL).Draw(t, "barrier")
	case Lead:
		in.Arbiter, in.Host = genID.Draw(t, "arbiter"), genHost.Draw(t, "host")
	case Resign:
		in.Arbiter = genID.Draw(t, "arbiter")
	case Silence:
		if tags := genTags.Draw(t, "tags"); len(tags) > 0 {
			in.Tags = tags
		}
	case Observe:
		in.Observation = genObservation.Draw(t, "observation")
	}
	return in
})

var genTags = rapid.Map(rapid.SliceOfNDistinct(genID, 0, 5, Tag), func(ids []string) []string {
	for i, id := range ids {
		ids[i] = Tag(id)
	}
	slices.Sort(ids)
	return ids
})

var genObservation = rapid.Custom(func(t *rapid.T) Observation {
	o := Observation{
		Since: genBig.Draw(t, "since"), Window: genMillis(MaxTTL).Draw(t, "window"), Headroom: genUnit.Draw(t, "headroom"),
		Usable: genUnit.Draw(t, "usable"), Bound: genUnit.Draw(t, "bound"),
		Platform: genUnit.Draw(t, "platform"), External: genUnit.Draw(t, "external"),
		Named: rapid.Bool().Draw(t, "named"), Clear: rapid.Bool().Draw(t, "clear"),
	}
	for _, tag := range genTags.Draw(t, "held") {
		o.Held = append(o.Held, Held{tag, genUnit.Draw(t, "connections"), rapid.Bool().Draw(t, "silent")})
	}
	return o
})

var genReason = rapid.Map(rapid.Uint8(), func(n uint8) Reason { return Reason(n) })

var genDecision = rapid.Custom(func(t *rapid.T) Decision {
	return Decision{
		Verb: Verb(rapid.IntRange(1, int(lastVerb)).Draw(t, "verb")), Container: genID.Draw(t, "container"), Lease: genID.Draw(t, "lease"),
		Units: genUnit.Draw(t, "units"), Charge: genUnit.Draw(t, "charge"), Fallback: genUnit.Draw(t, "fallback"), Reason: genReason.Draw(t, "reason"),
	}
})

var genRecord = rapid.Custom(func(t *rapid.T) Record {
	r := Record{
		Sequence: genBig.Draw(t, "sequence"), Incarnation: rapid.Uint64().Draw(t, "incarnation"), Epoch: genBig.Draw(t, "epoch"),
		Ledger: rapid.Int64Min(0).Draw(t, "ledger"), Wall: rapid.Int64Range(0, 253_402_300_799_999).Draw(t, "wall"),
		Entry: genHost.Draw(t, "entry"), Intent: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "intent"),
		Size: rapid.IntRange(0, math.MaxInt32).Draw(t, "size"), Refused: genReason.Draw(t, "refused"),
		Available: genUnit.Draw(t, "available"), Charged: rapid.IntRange(0, MaxUnits*MaxContainers).Draw(t, "charged"),
	}
	if n := rapid.IntRange(0, 5).Draw(t, "decisions"); n > 0 {
		r.Decisions = rapid.SliceOfN(genDecision, n, n).Draw(t, "decisions")
	}
	return r
})

var genGrant = rapid.Custom(func(t *rapid.T) Grant {
	g := Grant{
		Verb: Verb(rapid.IntRange(1, int(lastVerb)).Draw(t, "verb")), Container: genID.Draw(t, "container"),
		Incarnation: rapid.Uint64().Draw(t, "incarnation"), Epoch: genBig.Draw(t, "epoch"), Sequence: genBig.Draw(t, "sequence"),
		Ack: genBig.Draw(t, "ack"), Anchor: genBig.Draw(t, "anchor"), Lease: genHost.Draw(t, "lease"),
		Units: genUnit.Draw(t, "units"), Charge: genUnit.Draw(t, "charge"), Want: genUnit.Draw(t, "want"),
		Fallback: genUnit.Draw(t, "fallback"), Minimum: genUnit.Draw(t, "minimum"),
		TTL: genMillis(MaxTTL).Draw(t, "ttl"), Margin: genMillis(MaxTTL).Draw(t, "margin"),
		Reason: genReason.Draw(t, "reason"), Position: rapid.IntRange(0, MaxContainers).Draw(t, "position"),
		Window: genMillis(MaxTTL).Draw(t, "window"), Suspended: rapid.Bool().Draw(t, "suspended"),
	}
	for range rapid.IntRange(0, MaxHolders).Draw(t, "holders") {
		g.Holders = append(g.Holders, Holder{genID.Draw(t, "service"), rapid.IntRange(0, MaxPriority).Draw(t, "priority"), genUnit.Draw(t, "units")})
	}
	return g
})

var genContainerState = rapid.Custom(func(t *rapid.T) ContainerState {
	ms := func() int64 { return rapid.Int64Range(0, MaxTTL.Milliseconds()).Draw(t, "ms") }
	units := func() int { return genUnit.Draw(t, "units") }
	return ContainerState{
		ID: genID.Draw(t, "id"), Host: genHost.Draw(t, "host"), Service: genID.Draw(t, "service"),
		Strict: rapid.Bool().Draw(t, "strict"), Lost: rapid.Bool().Draw(t, "lost"),
		Asked: ms(), TTL: ms(), Deadline: ms(), Counter: genBig.Draw(t, "counter"), Anchor: genBig.Draw(t, "anchor"),
		Lease: genID.Draw(t, "lease"), Want: units(), Units: units(), Charge: units(), Fallback: units(), Bound: units(),
		Changed: genBig.Draw(t, "changed"), Written: genBig.Draw(t, "written"), Held: units(), InUse: units(), Waiting: units(),
		Silent: genBig.Draw(t, "silent"), Fell: genBig.Draw(t, "fell"), Asleep: rapid.Bool().Draw(t, "asleep"), Shown: units(), Over: units(),
	}
})

var genSnapshot = rapid.Custom(func(t *rapid.T) Snapshot {
	s := Snapshot{
		Incarnation: rapid.Uint64().Draw(t, "incarnation"), Epoch: genBig.Draw(t, "epoch"), Sequence: genBig.Draw(t, "sequence"),
		Now: rapid.Int64Min(0).Draw(t, "now"), Hash: genHash.Draw(t, "hash"),
		Barrier: rapid.Int64Min(0).Draw(t, "barrier"), FloorUntil: rapid.Int64Min(0).Draw(t, "floor"),
		Ranks: genBig.Draw(t, "ranks"), Refused: genBig.Draw(t, "refused"),
		Look: genObservation.Draw(t, "look"),
	}
	if rapid.Bool().Draw(t, "policy in force") {
		s.Policy = genPolicy.Draw(t, "policy")
	}
	rank := uint64(0)
	for range rapid.IntRange(0, 4).Draw(t, "containers") {
		c := genContainerState.Draw(t, "container")
		rank += rapid.Uint64Range(1, 1000).Draw(t, "rank")
		c.Rank = rank
		s.Containers = append(s.Containers, c)
	}
	return s
})
