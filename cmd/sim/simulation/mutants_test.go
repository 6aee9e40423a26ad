package simulation_test

// An edit replaces one piece of a file's text by another.
type edit struct{ file, old, new string }

// A mutant is the product with one mistake in it, of the kind that a later change
// could make. The simulation must notice each within the default seeds, and by
// one of these checks. The seed is the lowest that showed it, and is tried before
// the others. Some need so rare a course of events that a plan of testdata has to
// show it.
type mutant struct {
	name   string
	checks []string
	edits  []edit
	seed   int
	plan   string
}

var mutants = []mutant{
	{"fence off", []string{"fence"}, []edit{
		{"events/commit.lua", "if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] or replaced(head[6], head[7]) then\n  return 'fenced'\nend\n", ""},
	}, 126, ""},
	{"barrier off", []string{"sum", "charge"}, []edit{
		{"arbiter/recovery.go", "return max(l.Policy.TTL, l.longest)", "return 0"},
	}, 1, ""},
	{"epoch re-issued", []string{"epoch"}, []edit{
		{"events/campaign.lua", "tonumber(head[2] or '0') + 1", "tonumber(head[2] or '1')"},
	}, 1, ""},
	{"recall not awaited", []string{"sum", "charge"}, []edit{
		{"arbiter/ledger/reallocate.go", "c.charge = max(c.charge, units)", "c.charge = units"},
	}, 0, ""},
	{"deadline counted from receipt", []string{"deadline", "charge"}, []edit{
		{"client/lease/lease.go", "	retry       time.Duration", "	received    uint64\n	retry       time.Duration"},
		{"client/lease/lease.go", "	case m.leased():\n", "	case m.leased():\n		if m.received != m.grant.Sequence {\n			m.received, m.deadline = m.grant.Sequence, now.Add(m.grant.TTL-m.grant.Margin)\n		}\n"},
	}, 10, ""},
	{"retries on for appends", []string{"once"}, []edit{
		{"events/redis.go", "opts.MaxRetries = -1", "opts.MaxRetries = 3"},
	}, 555, ""},
	{"tie broken by map order", []string{"history"}, []edit{
		{"arbiter/ledger/filling.go", "	return q[i].c.rank < q[j].c.rank\n", "	return false\n"},
		{"arbiter/ledger/reallocate.go", "	s.queue.Scan(func(rank uint64, c *container) bool {\n		if n := s.level.target(c.want, rank) - c.units; n > 0 {", "	for _, c := range l.containers {\n		if c.service != s || c.lost {\n			continue\n		}\n		if n := s.level.target(c.want, c.rank) - c.units; n > 0 {"},
		{"arbiter/ledger/reallocate.go", "			left -= n\n		}\n		return left > 0\n	})\n", "			left -= n\n		}\n	}\n"},
	}, 0, ""},
	{"floor not charged", []string{"sum", "charge"}, []edit{
		{"arbiter/ledger/ledger.go", "c.charge = min(c.charge, max(c.bound, c.shown))", "c.charge = 0"},
	}, 10, ""},

	{"base of a batch not checked", []string{"history", "fence"}, []edit{
		{"events/commit.lua", "if head[3] ~= ARGV[3] or head[4] ~= ARGV[4] or head[5] ~= ARGV[5] then\n  return 'diverged'\nend\n", ""},
		{"events/commit.lua", "if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] or replaced(head[6], head[7]) then\n  return 'fenced'\nend\n", ""},
	}, 1, ""},
	{"a restarted Redis is taken for the same", []string{"fence", "charge", "sum", "history"}, []edit{
		{"events/campaign.lua", "head[6] ~= life or ", ""},
	}, 6, ""},
	{"a commit into another life", []string{"fence"}, []edit{
		{"events/commit.lua", " or replaced(head[6], head[7])", ""},
		{"events/extend.lua", " or replaced(head[3], head[4])", ""},
	}, 0, "demoted_and_promoted_again"},
	{"ledger time not carried over", []string{"time", "rest"}, []edit{
		{"arbiter/lead.go", "base: max(a.ledger.Now(), s.Now)", "base: 0"},
	}, 2, ""},
	{"minimums not kept back after the barrier", []string{"sum"}, []edit{
		{"arbiter/ledger/take.go", "l.floorUntil = l.now + 2*ms", "l.floorUntil = 0"},
	}, 51, ""},
	{"an intent counts again", []string{"charge", "sum", "rest", "usable"}, []edit{
		{"arbiter/ledger/take.go", "if intent.Counter <= c.counter {", "if intent.Counter == 0 {"},
	}, 900, ""},
	{"promise believed although a grant was not seen", []string{"charge", "sum"}, []edit{
		{"arbiter/ledger/promise.go", "newest, current := known && intent.Seen >= c.written, known && intent.Seen >= c.changed", "newest, current := known || true, known || true"},
	}, 57, ""},
	{"promise not kept", []string{"charge", "sum"}, []edit{
		{"client/lease/send.go", "	m.units, m.fallback = min(m.units, ceiling), min(m.fallback, ceiling)\n", ""},
	}, 74, ""},
	{"drift margin ignored", []string{"charge", "deadline", "sum"}, []edit{
		{"client/lease/accept.go", "at.Add(g.TTL - g.Margin)", "at.Add(g.TTL)"},
	}, 19, ""},
	{"lease kept after its end", []string{"deadline", "charge", "sum"}, []edit{
		{"client/lease/lease.go", "		limit = m.fallback\n", "		limit = m.units\n"},
	}, 10, ""},
	{"a shorter lease ends before its holder knows", []string{"charge", "sum"}, []edit{
		{"arbiter/ledger/promise.go", "l.deadlines.set(c, max(c.deadline, l.now+c.ttl))", "l.deadlines.set(c, l.now+c.ttl)"},
	}, 0, "a_shorter_lease_ends_before_its_holder_knows"},
	{"growth above the limit", []string{"sum"}, []edit{
		{"arbiter/ledger/reallocate.go", "	case l.charged > available:\n", "	case false:\n"},
	}, 415, ""},
	{"an older grant replaces a newer one", []string{"charge", "sum", "deadline"}, []edit{
		{"client/lease/accept.go", "		return g.Sequence > old.Sequence\n", "		return g.Sequence != old.Sequence\n"},
	}, 44, ""},
	{"another incarnation goes unnoticed", []string{"rest", "charge", "sum"}, []edit{
		{"client/lease/accept.go", "		m.incarnation = look.Incarnation\n		m.reregister = true\n", "		m.incarnation = look.Incarnation\n"},
		{"client/lease/accept.go", "	kept := *m.grant\n", "	return\n	kept := *m.grant\n"},
	}, 3, ""},
	{"intents skipped after a takeover", []string{"rest", "history", "inbox"}, []edit{
		{"arbiter/lead.go", "standing: s, cursor: s.Cursor,", "standing: s, cursor: s.Cursor + \"9\","},
	}, 0, ""},

	{"the fallback of a silent container is not kept", []string{"charge", "sum", "usable"}, []edit{
		{"arbiter/ledger/observe.go", "left = max(c.shown, c.bound)", "left = c.shown"},
	}, 833, ""},
	{"a silent container's promise raises its charge", []string{"usable", "charge", "sum"}, []edit{
		{"arbiter/ledger/promise.go", "		case asleep:\n", "		case asleep && false:\n"},
		{"arbiter/ledger/promise.go", "		if outdated {\n", "		if outdated && false {\n"},
	}, 4, ""},
	{"an outdated promise raises a charge", []string{"usable", "charge", "sum"}, []edit{
		{"arbiter/ledger/promise.go", "		if outdated {\n", "		if outdated && false {\n"},
	}, 15, ""},
	{"the window is not obeyed", []string{"charge", "sum"}, []edit{
		{"client/lease/admission.go", "	if !m.leased() || m.window == 0 && m.suspended.IsZero() {", "	if mode <= Released {"},
	}, 15, ""},
	{"a heartbeat counts although the container is suspended", []string{"charge", "sum"}, []edit{
		{"client/lease/admission.go", " || !m.suspended.IsZero() || m.grant.Gone() {", " || m.grant.Gone() {"},
		{"client/lease/admission.go", "	if m.lapsed(now) {", "	if false {"},
		{"client/lease/admission.go", "	if !m.suspended.IsZero() && (", "	if false && ("},
	}, 15, ""},
	{"an intent counts as a sign of life from its answer", []string{"charge", "sum"}, []edit{
		{"client/lease/admission.go", "		m.reach(at)\n", "		m.reach(at.Add(now.Sub(at)))\n"},
	}, 398, ""},
	{"a container is compared with what it was charged for later", []string{"drift"}, []edit{
		{"arbiter/ledger/observe.go", "if l.look.Named && c.fell <= since {", "if l.look.Named {"},
		{"arbiter/ledger/observe.go", "if o.Named && c.fell <= o.Since {", "if o.Named {"},
	}, 2, ""},
	{"others' connections are not subtracted", []string{"usable", "rest"}, []edit{
		{"arbiter/ledger/observe.go", " - o.External - l.strange - l.over", " - l.strange - l.over"},
	}, 0, ""},
	{"the barrier opens at the first look", []string{"charge", "sum"}, []edit{
		{"arbiter/look.go", "now.Sub(l.won) >= silentAfter && ", ""},
	}, 574, ""},
	{"who has lapsed re-asserts what it does not have", []string{"usable", "charge", "sum"}, []edit{
		{"client/lease/send.go", "	case kind == events.Register && m.lapsed(now):", "	case false:"},
	}, 84, ""},
	{"others' intents are a container's signs of life", []string{"gone"}, []edit{
		{"arbiter/watch.go", "	for i := range step.Record.Decisions {\n", "	for i := range step.Record.Decisions {\n		if p, ok := w.pulses[step.Record.Decisions[i].Container]; ok {\n			p.at = now\n			w.pulses[step.Record.Decisions[i].Container] = p\n		}\n"},
	}, 8, ""},
	{"silent containers are looked for at leisure", []string{"gone"}, []edit{
		{"arbiter/look.go", "urgent = urgent || !c.Asleep", "urgent = false"},
	}, 16, ""},
	{"intents do not wait for the first look", []string{"usable"}, []edit{
		{"arbiter/lead.go", "	if l.unsighted() {\n", "	if false {\n"},
	}, 0, "intents_do_not_wait_for_the_first_look"},
	{"silent before the window has ended", []string{"charge", "awake", "sum"}, []edit{
		{"arbiter/silence.go", "return w.polled.Sub(p.at) >= silentAfter }", "return w.polled.Sub(p.at) >= Window/3 }"},
	}, 8, ""},
	{"a grant without a window ends the window", []string{"charge", "sum"}, []edit{
		{"client/lease/admission.go", "	if g.Window > 0 {\n", "	if true {\n"},
	}, 0, "a_grant_without_a_window_ends_the_window"},
	{"who was told something goes on alone", []string{"usable", "charge", "sum"}, []edit{
		{"client/lease/accept.go", "	m.alone = time.Time{} // an arbiter knows of it: it counts anew\n", ""},
	}, 0, "who_was_told_something_goes_on_alone"},
	{"a container that is back is taken for who it was", []string{"drift"}, []edit{
		{"arbiter/look.go", "		case w.ended[tag]:\n", "		case w.ended[tag] && !l.ledger.Knows(tag):\n"},
	}, 747, ""},
}
