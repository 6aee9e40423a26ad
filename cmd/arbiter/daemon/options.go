package daemon

import (
	"io"
	"time"

	"github.com/alecthomas/kong"

	"github.com/conncord/conncord/cmd/internal/cli"
)

const program = "arbiter"

const description = `Shares out the connections of one database among its containers.

Run two or more arbiters for each budget: one leads, the others stand by and take over when it ends.
Every setting is a flag or an environment variable; a flag wins.`

// options are the settings as they are written; see package cli for the tags.
type options struct {
	Plan           string `group:"Database" from:"SUPABASE_PLAN" placeholder:"NAME" help:"Plan or compute size of the database, which says how many connections it allows: free, pro, team, enterprise, nano to 16xl. Default: free."`
	MaxConnections *int   `group:"Database" from:"SUPABASE_MAX_CONNECTIONS" placeholder:"N" help:"Connections that the database allows. Default: the plan's."`
	ReservePercent int    `group:"Database" from:"CONNCORD_RESERVE_PERCENT" default:"10" placeholder:"N" help:"Part of these in percent, rounded up, that is kept back for the platform. Default: 10."`

	DatabaseURL   string `group:"Database" from:"DATABASE_URL" placeholder:"URL" help:"The database itself, postgres://…, a direct connection: the leading arbiter looks at it over one connection, follows its limits, counts what others hold and gives what dead containers held to others within seconds. Its role should have pg_monitor. Default: none, the arbiter goes by its books."`
	Headroom      int    `group:"Database" from:"CONNCORD_HEADROOM" default:"2" placeholder:"N" help:"Connections that stay free for whoever comes past Conncord, such as psql. Default: 2."`
	PlatformRoles string `group:"Database" from:"CONNCORD_PLATFORM_ROLES" placeholder:"NAMES" help:"Roles, separated by commas, whose connections are the platform's own and count against the reserve first. Default: those of Supabase."`
	Fence         bool   `group:"Database" from:"CONNCORD_FENCE" help:"End connections that an expired lease has left in the database above its fallback: those of a container that stands still. Its role should have pg_signal_backend."`

	TTL         cli.Duration  `name:"ttl" group:"Leases" from:"CONNECTION_RESERVE_TTL" default:"300" placeholder:"SECONDS" help:"How long a container that is not heard keeps its connections: whole seconds, or a duration such as 30s or 5m. Default: 300."`
	DriftMargin *cli.Duration `group:"Leases" from:"CONNCORD_DRIFT_MARGIN" placeholder:"SECONDS" help:"How much earlier than the arbiter a container ends its lease, for clocks that drift: seconds or a duration. Default: 2 % of the TTL, at least 1s, at most an eighth of it."`
	Policy      string        `group:"Leases" from:"CONNCORD_POLICY" placeholder:"FILE" help:"YAML file with services beyond the built-in scraper, api, viewer, monitoring and external, or other rules for these."`

	RedisURL    string       `group:"Coordination" from:"REDIS_URL" default:"redis://127.0.0.1:6379" placeholder:"URL" help:"Redis that containers and arbiters share: redis://[user:password@]host:port[/db], rediss://… with TLS, or unix:///path. Default: redis://127.0.0.1:6379."`
	Budget      string       `group:"Coordination" from:"CONNCORD_BUDGET" default:"default" placeholder:"NAME" help:"Name of the database and all that share it. Default: default."`
	ID          string       `name:"id" group:"Coordination" from:"CONNCORD_ARBITER_ID" placeholder:"NAME" help:"Name of this arbiter, which no other one may have. Default: made up."`
	LeaderLease cli.Duration `group:"Coordination" from:"CONNCORD_LEADER_LEASE" default:"1s" placeholder:"SECONDS" help:"How long nobody decides after the leader was killed: seconds, or a duration such as 500ms. Default: 1s."`
	Fresh       bool         `group:"Coordination" from:"CONNCORD_FRESH" help:"Say that no container holds a connection, so that an empty Redis needs no recovery barrier. Only for the very first start: on a Redis that lost its data it can overfill the database."`

	Retention        cli.Duration `group:"History" from:"CONNCORD_RETENTION" default:"168h" placeholder:"SECONDS" help:"How long a record stays in Redis: seconds, or a duration such as 168h; 0 is for ever. What an archive lacks stays longer. Default: 168h, a week."`
	RetentionRecords uint64       `group:"History" from:"CONNCORD_RETENTION_RECORDS" default:"1000000" placeholder:"N" help:"How many records stay in Redis at most; 0 is any number. What an archive lacks stays as well. Default: 1000000, about 200 MB."`

	HTTPAddr     string `name:"http-addr" group:"Watching" from:"HTTP_ADDR" placeholder:"HOST:PORT" help:"Where the live page, /metrics, /healthz, /readyz and /api are served; port 0 takes a free one, off serves none. They ask for no password: put a proxy that does before an address that others can reach. Default: 127.0.0.1:8080, if that is free."`
	HTTPHosts    string `name:"http-hosts" group:"Watching" from:"HTTP_HOSTS" placeholder:"NAMES" help:"Names, separated by commas, under which these are asked for; others are refused. Default: on a loopback address its own names, else any."`
	Expect       string `group:"Watching" from:"CONNCORD_EXPECT" placeholder:"NAMES" help:"Services, separated by commas, that should always have a container: an alert is raised when one has none."`
	AlertWebhook string `name:"alert-webhook-url" group:"Watching" from:"ALERT_WEBHOOK_URL" placeholder:"URL" help:"Where alerts are posted as JSON when they are raised and cleared; receivers of Slack's format understand it."`

	Embedded     bool   `group:"Trying it out" from:"CONNCORD_EMBEDDED" help:"Run a Redis in this process, in memory, and use it. Not for production: its data ends with the process. Implies --fresh."`
	EmbeddedAddr string `group:"Trying it out" from:"CONNCORD_EMBEDDED_ADDR" default:"127.0.0.1:6379" placeholder:"HOST:PORT" help:"Where the embedded Redis listens; port 0 takes a free one. Its URL is printed. Default: 127.0.0.1:6379."`

	LogLevel  string `group:"Log" from:"CONNCORD_LOG_LEVEL" enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL" help:"Least level to log on standard error: debug, info, warn or error. Default: info."`
	LogFormat string `group:"Log" from:"CONNCORD_LOG_FORMAT" enum:"text,json" default:"text" placeholder:"FORMAT" help:"Form of the log: text or json. Default: text."`

	Version kong.VersionFlag `help:"Print the version and exit."`
}

// parse reads the options. It returns done when there is nothing left to do,
// because the help or the version was asked for.
func parse(args []string, env func(string) (string, bool), stdout io.Writer) (o options, done bool, err error) {
	done, err = cli.Program{Name: program, Description: description}.Parse(&o, args, env, stdout)
	return o, done, err
}

// fromPlan is whether the name of a plan was given.
func (o *options) fromPlan() bool { return o.Plan != "" }

// margin is the drift margin.
//
// Two hundredths of the lease cover clocks whose rates differ by 20,000 parts in
// a million, forty times what NTP tolerates of one (500). The rest, and with a
// short lease the second, is for closing the connections. The shortest leases
// have no second to spare: there it is an eighth, which leaves most of the lease
// to be used.
func (o *options) margin() time.Duration {
	if o.DriftMargin != nil {
		return time.Duration(*o.DriftMargin)
	}
	ttl := time.Duration(o.TTL)
	return max(ttl/50, min(time.Second, ttl/8)).Truncate(time.Millisecond)
}
