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
	}, 0, ""},
	{"epoch re-issued", []string{"epoch"}, []edit{
		{"events/campaign.lua", "tonumber(head[2] or '0') + 1", "tonumber(head[2] or '1')"},
	}, 0, ""},
	{"recall not awaited", []string{"sum", "charge"}, []edit{
		{"arbiter/ledger/reallocate.go", "c.charge = max(c.charge, units)", "c.charge = units"},
	}, 0, ""},
	{"deadline counted from receipt", []string{"deadline", "charge"}, []edit{
		{"client/lease/lease.go", "	retry       time.Duration", "	received    uint64\n	retry       time.Duration"},
		{"client/lease/lease.go", "	case m.leased():\n", "	case m.leased():\n		if m.received != m.grant.Sequence {\n			m.received, m.deadline = m.grant.Sequence, now.Add(m.grant.TTL-m.grant.Margin)\n		}\n"},
	}, 5, ""},
	{"retries on for appends", []string{"once"}, []edit{
		{"events/redis.go", "opts.MaxRetries = -1", "opts.MaxRetries = 3"},
	}, 10, ""},
	{"tie broken by map order", []string{"history"}, []edit{
		{"arbiter/ledger/filling.go", "	return q[i].c.rank < q[j].c.rank\n", "	return false\n"},
		{"arbiter/ledger/reallocate.go", "	s.queue.Scan(func(rank uint64, c *container) bool {\n		if n := s.level.target(c.want, rank) - c.units; n > 0 {", "	for _, c := range l.containers {\n		if c.service != s || c.lost {\n			continue\n		}\n		if n := s.level.target(c.want, c.rank) - c.units; n > 0 {"},
		{"arbiter/ledger/reallocate.go", "			left -= n\n		}\n		return left > 0\n	})\n", "			left -= n\n		}\n	}\n"},
	}, 0, ""},
	{"floor not charged", []string{"sum", "charge"}, []edit{
		{"arbiter/ledger/ledger.go", "c.charge = min(c.charge, c.bound)", "c.charge = 0"},
	}, 3, ""},

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
	}, 3, ""},
	{"an intent counts again", []string{"charge", "sum", "rest"}, []edit{
		{"arbiter/ledger/take.go", "if intent.Counter <= c.counter {", "if intent.Counter == 0 {"},
	}, 324, ""},
	{"promise believed although a grant was not seen", []string{"charge", "sum"}, []edit{
		{"arbiter/ledger/promise.go", "newest, current := known && intent.Seen >= c.written, known && intent.Seen >= c.changed", "newest, current := known || true, known || true"},
	}, 57, ""},
	{"promise not kept", []string{"charge", "sum"}, []edit{
		{"client/lease/send.go", "	m.units, m.fallback = min(m.units, ceiling), min(m.fallback, ceiling)\n", ""},
	}, 74, ""},
	{"drift margin ignored", []string{"charge", "deadline", "sum"}, []edit{
		{"client/lease/accept.go", "at.Add(g.TTL - g.Margin)", "at.Add(g.TTL)"},
	}, 16, ""},
	{"lease kept after its end", []string{"deadline", "charge", "sum"}, []edit{
		{"client/lease/lease.go", "		limit = m.fallback\n", "		limit = m.units\n"},
	}, 3, ""},
	{"a shorter lease ends before its holder knows", []string{"charge", "sum"}, []edit{
		{"arbiter/ledger/promise.go", "l.deadlines.set(c, max(c.deadline, l.now+c.ttl))", "l.deadlines.set(c, l.now+c.ttl)"},
	}, 0, "a_shorter_lease_ends_before_its_holder_knows"},
	{"growth above the limit", []string{"sum"}, []edit{
		{"arbiter/ledger/reallocate.go", "	case l.charged > available:\n", "	case false:\n"},
	}, 166, ""},
	{"an older grant replaces a newer one", []string{"charge", "sum", "deadline"}, []edit{
		{"client/lease/accept.go", "		return g.Sequence > old.Sequence\n", "		return g.Sequence != old.Sequence\n"},
	}, 49, ""},
	{"another incarnation goes unnoticed", []string{"rest", "charge", "sum"}, []edit{
		{"client/lease/accept.go", "		m.incarnation = look.Incarnation\n		m.reregister = true\n", "		m.incarnation = look.Incarnation\n"},
		{"client/lease/accept.go", "	kept := *m.grant\n", "	return\n	kept := *m.grant\n"},
	}, 0, ""},
	{"intents skipped after a takeover", []string{"rest", "history", "inbox"}, []edit{
		{"arbiter/lead.go", "standing: s, cursor: s.Cursor,", "standing: s, cursor: s.Cursor + \"9\","},
	}, 0, ""},
}
