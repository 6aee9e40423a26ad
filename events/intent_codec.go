package events

import "math"

// An intent is [kind, version, container, counter, body]; the body is an array
// whose places depend on kind and version.

// intentVersion is the schema version that this program writes.
const intentVersion = 1

// intentUpcasters[v-1] lifts a body of version v to v+1. Version 1 is the
// newest, so there is nothing to lift yet.
var intentUpcasters []upcaster

// EncodeIntent returns the entry for the intent.
func EncodeIntent(in *Intent) []byte {
	w := newWriter()
	w.array(5)
	w.uint(uint64(in.Kind))
	w.uint(intentVersion)
	w.str(in.Container)
	w.uint(in.Counter)
	switch in.Kind {
	case Register:
		w.array(11)
		w.str(in.Service)
		w.str(in.Host)
		w.bool(in.Strict)
		w.millis(in.TTL)
		w.int(in.Want)
		w.int(in.Ceiling)
		w.int(in.Held)
		w.int(in.InUse)
		w.int(in.Waiting)
		w.uint(in.Incarnation)
		w.uint(in.Seen)
	case Request, Renew:
		w.array(7)
		w.int(in.Want)
		w.int(in.Ceiling)
		w.int(in.Held)
		w.int(in.InUse)
		w.int(in.Waiting)
		w.uint(in.Incarnation)
		w.uint(in.Seen)
	case Release:
		w.array(3)
		w.int(in.Ceiling)
		w.uint(in.Incarnation)
		w.uint(in.Seen)
	case SetPolicy:
		w.array(1)
		encodePolicy(w, &in.Policy)
	case Begin:
		w.array(1)
		w.millis(in.Barrier)
	case Lead:
		w.array(2)
		w.str(in.Arbiter)
		w.str(in.Host)
	case Resign:
		w.array(1)
		w.str(in.Arbiter)
	case Silence:
		w.array(1)
		w.array(len(in.Tags))
		for _, tag := range in.Tags {
			w.tag(tag)
		}
	case Observe:
		encodeObservation(w, &in.Observation)
	default:
		w.array(0)
	}
	return w.done()
}

// DecodeIntent reads an entry. Every failure is a [*DecodeError].
func DecodeIntent(data []byte) (*Intent, error) {
	in := &Intent{}
	if err := in.Decode(data); err != nil {
		return nil, err
	}
	return in, nil
}

// Decode is [DecodeIntent] into an intent that is there already; slices that it
// had are not written to. After an error the intent is good for nothing.
func (in *Intent) Decode(data []byte) error {
	if len(data) > MaxOwnBytes {
		return &DecodeError{What: "intent", At: "entry", Err: ErrOversize}
	}
	r := newReader("intent", data)
	*in = Intent{}
	r.array("entry", 5)
	in.Kind = Kind(r.uint("kind", math.MaxUint8))
	if r.err == nil && (in.Kind == 0 || in.Kind > lastKind) {
		r.fail("kind", ErrKind)
	}
	if r.err == nil && !in.Kind.Own() && len(data) > MaxEntryBytes {
		r.fail("entry", ErrOversize)
	}
	version := r.version(intentVersion)
	check := CheckContainer
	if in.Kind.Own() {
		check = mustBeEmpty
	}
	in.Container = r.text("container", MaxContainerBytes, check)
	in.Counter = r.uint("counter", math.MaxInt64)
	r.lift("body", version, intentUpcasters)
	decodeIntentBody(r, in)
	return r.finish()
}

func decodeIntentBody(r *reader, in *Intent) {
	switch in.Kind {
	case Register:
		r.array("body", 11)
		in.Service = r.text("service", MaxNameBytes, CheckService)
		in.Host = r.text("host", MaxNameBytes, CheckHost)
		in.Strict = r.bool("strict")
		in.TTL = r.millis("ttl", MaxTTL)
		r.demand(in)
	case Request, Renew:
		r.array("body", 7)
		r.demand(in)
	case Release:
		r.array("body", 3)
		in.Ceiling = r.units("ceiling")
		in.Incarnation = r.uint("incarnation", math.MaxUint64)
		in.Seen = r.uint("seen", math.MaxUint64)
	case SetPolicy:
		r.array("body", 1)
		decodePolicy(r, &in.Policy)
	case Begin:
		r.array("body", 1)
		in.Barrier = r.millis("barrier", 2*MaxTTL)
	case Lead:
		r.array("body", 2)
		in.Arbiter = r.text("arbiter", MaxContainerBytes, CheckContainer)
		in.Host = r.text("host", MaxNameBytes, CheckHost)
	case Resign:
		r.array("body", 1)
		in.Arbiter = r.text("arbiter", MaxContainerBytes, CheckContainer)
	case Silence:
		r.array("body", 1)
		if n := r.arrayUpTo("tags", MaxSilences); n > 0 {
			in.Tags = make([]string, n)
			for i := range in.Tags {
				in.Tags[i] = r.tag("tag")
			}
		}
	case Observe:
		decodeObservation(r, &in.Observation)
	default:
		r.array("body", 0)
	}
}

func (r *reader) demand(in *Intent) {
	in.Want = r.units("want")
	in.Ceiling = r.units("ceiling")
	in.Held = r.units("held")
	in.InUse = r.units("in use")
	in.Waiting = r.units("waiting")
	in.Incarnation = r.uint("incarnation", math.MaxUint64)
	in.Seen = r.uint("seen", math.MaxUint64)
}

func mustBeEmpty(s string) error {
	if s != "" {
		return ErrName
	}
	return nil
}

func encodePolicy(w *writer, p *Policy) {
	w.array(8)
	w.int(p.Rule)
	w.str(p.Plan)
	w.int(p.Limit)
	w.int(p.Reserve)
	w.millis(p.TTL)
	w.millis(p.Margin)
	encodeService(w, &p.Unlisted)
	w.array(len(p.Services))
	for i := range p.Services {
		encodeService(w, &p.Services[i])
	}
}

func decodePolicy(r *reader, p *Policy) {
	r.array("policy", 8)
	p.Rule = int(r.uint("rule", math.MaxUint16))
	p.Plan = r.text("plan", MaxNameBytes, nil)
	p.Limit = r.units("limit")
	p.Reserve = r.units("reserve")
	p.TTL = r.millis("ttl", MaxTTL)
	p.Margin = r.millis("margin", MaxTTL)
	decodeService(r, &p.Unlisted)
	if n := r.arrayUpTo("services", MaxServices); n > 0 {
		p.Services = make([]Service, n)
		for i := range p.Services {
			decodeService(r, &p.Services[i])
		}
	}
	if r.err == nil {
		if err := p.Check(); err != nil {
			r.fail("policy", err)
		}
	}
}

func encodeService(w *writer, s *Service) {
	w.array(4)
	w.str(s.Name)
	w.int(s.Priority)
	w.int(s.Minimum)
	w.int(s.Maximum)
}

func decodeService(r *reader, s *Service) {
	r.array("service", 4)
	s.Name = r.text("service name", MaxNameBytes, nil)
	s.Priority = int(r.uint("priority", MaxPriority))
	s.Minimum = r.units("minimum")
	s.Maximum = r.units("maximum")
}
