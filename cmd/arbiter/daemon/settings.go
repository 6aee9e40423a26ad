package daemon

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/arbiter/observer"
	"github.com/conncord/conncord/cmd/internal/cli"
	"github.com/conncord/conncord/cmd/internal/policyfile"
	"github.com/conncord/conncord/events"
)

// settings are the options, checked and made into what the parts need.
type settings struct {
	redisURL     string
	budget       string
	embeddedAddr string           // empty: no embedded Redis
	observer     *observer.Config // nil: nobody looks at the database
	arbiter      arbiter.Config   // but for log, logger and lookout
	watching     watching
	retention    events.Retention
	warnings     []string // what works, but may not be what was meant
}

// check makes settings of the options. Its error is one sentence that says what
// is wrong, where, and what to do.
func (o *options) check() (settings, error) {
	s := settings{redisURL: o.RedisURL, budget: o.Budget}
	if err := events.CheckBudget(o.Budget); err != nil {
		return s, fmt.Errorf("--budget (CONNCORD_BUDGET): %w", err)
	}
	if o.ID != "" {
		if err := events.CheckContainer(o.ID); err != nil {
			return s, fmt.Errorf("--id (CONNCORD_ARBITER_ID): %w", err)
		}
	}
	if lease := time.Duration(o.LeaderLease); lease < arbiter.MinLease || lease > arbiter.MaxLease {
		return s, fmt.Errorf("--leader-lease (CONNCORD_LEADER_LEASE): %v is out of range: set %v to %v", lease, arbiter.MinLease, arbiter.MaxLease)
	}
	if err := s.address(o); err != nil {
		return s, err
	}
	policy, err := s.policy(o)
	if err != nil {
		return s, err
	}
	if err := s.database(o); err != nil {
		return s, err
	}
	if s.watching, err = o.watch(); err != nil {
		return s, err
	}
	if s.retention, err = cli.Retention(o.Retention, o.RetentionRecords); err != nil {
		return s, err
	}
	host, _ := os.Hostname()
	s.arbiter = arbiter.Config{
		Policy: policy, ID: o.ID, Host: events.CleanHost(host), Lease: time.Duration(o.LeaderLease), Fresh: o.Fresh || o.Embedded,
		Headroom: o.Headroom, Fence: o.Fence,
	}
	return s, nil
}

// database checks how the arbiter is to look at the database.
func (s *settings) database(o *options) error {
	if o.Headroom < 0 || o.Headroom > events.MaxUnits {
		return fmt.Errorf("--headroom (CONNCORD_HEADROOM): %d connections is out of range: set 0 to %d", o.Headroom, events.MaxUnits)
	}
	if o.DatabaseURL == "" {
		if o.Fence {
			return errors.New("--fence (CONNCORD_FENCE): there is no database to fence: set --database-url (DATABASE_URL)")
		}
		return nil
	}
	s.observer = &observer.Config{URL: o.DatabaseURL, Budget: o.Budget}
	s.observer.Platform = names(o.PlatformRoles)
	if _, err := observer.New(*s.observer); err != nil {
		return fmt.Errorf("--database-url (DATABASE_URL): %w", err)
	}
	return nil
}

// address checks where Redis is to be.
func (s *settings) address(o *options) error {
	if o.Embedded {
		if _, _, err := net.SplitHostPort(o.EmbeddedAddr); err != nil {
			return fmt.Errorf("--embedded-addr (CONNCORD_EMBEDDED_ADDR): %q is not an address: write host:port, such as 127.0.0.1:6379", o.EmbeddedAddr)
		}
		s.embeddedAddr = o.EmbeddedAddr
		return nil
	}
	client, err := events.OpenRedis(o.RedisURL, 1)
	if err != nil {
		return fmt.Errorf("--redis-url (REDIS_URL): %w", err)
	}
	return client.Close()
}

// policy puts together what the ledger decides by.
func (s *settings) policy(o *options) (events.Policy, error) {
	none := events.Policy{}
	plan, limit, err := s.limit(o)
	if err != nil {
		return none, err
	}
	if o.ReservePercent < 0 || o.ReservePercent > 99 {
		return none, fmt.Errorf("--reserve-percent (CONNCORD_RESERVE_PERCENT): %d %% is out of range: set 0 to 99", o.ReservePercent)
	}
	p := events.Policy{
		Rule: events.RuleVersion, Plan: plan, Limit: limit, Reserve: (limit*o.ReservePercent + 99) / 100,
		TTL: time.Duration(o.TTL), Margin: o.margin(),
		Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
	}
	if err := checkTimes(&p); err != nil {
		return none, err
	}
	if p.Reserve >= p.Limit {
		return none, fmt.Errorf("--max-connections (SUPABASE_MAX_CONNECTIONS): a limit of %d leaves no connection to share out beside the reserve of %d %%: raise the limit, or lower --reserve-percent (CONNCORD_RESERVE_PERCENT)", limit, o.ReservePercent)
	}
	where := "--max-connections (SUPABASE_MAX_CONNECTIONS)"
	if o.Policy != "" {
		if err := policyfile.Read(o.Policy, &p); err != nil {
			return none, fmt.Errorf("--policy (CONNCORD_POLICY): %w", err)
		}
		where = o.Policy
	}
	if err := p.Check(); err != nil {
		return none, fmt.Errorf("%s: %w", where, err)
	}
	return p, nil
}

// limit is how many connections the database allows, and the name of its plan.
// Where the plan and the maximum disagree the maximum wins: it is the more
// particular, and how one keeps the limit below the plan's on purpose.
func (s *settings) limit(o *options) (plan string, limit int, err error) {
	found, ok := events.FindPlan(o.Plan)
	switch {
	case !ok && o.fromPlan():
		return "", 0, fmt.Errorf("--plan (SUPABASE_PLAN): the plan %.40q is not known: use %s, or set --max-connections (SUPABASE_MAX_CONNECTIONS) alone", o.Plan, planNames())
	case !ok && o.MaxConnections != nil:
		found.Name = "custom"
	case !ok:
		found, _ = events.FindPlan("free")
	}
	if o.MaxConnections == nil {
		return found.Name, found.Limit, nil
	}
	limit = *o.MaxConnections
	if limit < 1 || limit > events.MaxUnits {
		return "", 0, fmt.Errorf("--max-connections (SUPABASE_MAX_CONNECTIONS): a limit of %d connections is out of range: set 1 to %d", limit, events.MaxUnits)
	}
	if o.fromPlan() && limit != found.Limit {
		s.warnings = append(s.warnings, fmt.Sprintf("SUPABASE_PLAN=%s allows %d connections, but SUPABASE_MAX_CONNECTIONS=%d is set and wins", found.Name, found.Limit, limit))
	}
	return found.Name, limit, nil
}

func planNames() string {
	var names []string
	for _, p := range events.Plans() {
		names = append(names, fmt.Sprintf("%s (%d)", p.Name, p.Limit))
	}
	return strings.Join(names, ", ")
}

// checkTimes checks the lease and its margin here, where their names are known.
func checkTimes(p *events.Policy) error {
	switch {
	case p.TTL < events.MinTTL || p.TTL > events.MaxTTL:
		return fmt.Errorf("--ttl (CONNECTION_RESERVE_TTL): a lease of %v is out of range: set %v to %v", p.TTL, events.MinTTL, events.MaxTTL)
	case p.Margin < 0:
		return errors.New("--drift-margin (CONNCORD_DRIFT_MARGIN): a margin below 0 would have containers keep their leases too long: set 0s or more")
	case p.Margin > p.TTL/4:
		return fmt.Errorf("--ttl (CONNECTION_RESERVE_TTL): a lease of %v is too short for a drift margin of %v: set at least %v, or lower --drift-margin (CONNCORD_DRIFT_MARGIN)", p.TTL, p.Margin, 4*p.Margin)
	}
	return nil
}
