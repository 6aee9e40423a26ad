package replay

import (
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"github.com/conncord/conncord/cmd/internal/cli"
	"github.com/conncord/conncord/events"
)

const program = "replay"

const description = `Proves what the history of a budget says, and shows any moment of it.

It reads a live Redis (without changing it), a file that "replay export" wrote, or the directory of an archive: see --from.
A moment is a sequence (1200), a time (2026-03-14T09:26:53Z), how long ago (-10m), or now.
Exit status: 0 all is well, 1 an error, 2 wrong usage, 3 the history is not what was published.`

// options are the settings as they are written.
type options struct {
	From     string `group:"Where the history is" from:"CONNCORD_FROM" placeholder:"PATH" help:"An exported file, or the directory of an archive. Without it the history in Redis is read."`
	RedisURL string `group:"Where the history is" from:"REDIS_URL" default:"redis://127.0.0.1:6379" placeholder:"URL" help:"Redis that containers and arbiters share: redis://[user:password@]host:port[/db], rediss://… with TLS, or unix:///path. Default: redis://127.0.0.1:6379."`
	Budget   string `group:"Where the history is" from:"CONNCORD_BUDGET" default:"default" placeholder:"NAME" help:"Name of the database and all that share it. Default: default."`

	JSON    bool             `name:"json" group:"How it is shown" help:"Print JSON."`
	NoColor bool             `group:"How it is shown" help:"Use no colours, as with $NO_COLOR."`
	Version kong.VersionFlag `help:"Print the version and exit."`

	Verify     struct{}        `cmd:"" help:"Decide about everything anew and compare that with what was published."`
	Status     statusOptions   `cmd:"" help:"Show how everything stood at a moment."`
	Timeline   timelineOptions `cmd:"" help:"Show who had what over time: as text, as a table, as a picture."`
	Explain    explainOptions  `cmd:"" help:"Say why a container, or one record, got what it got."`
	Diff       diffOptions     `cmd:"" help:"Show what changed between two moments."`
	Whatif     whatifOptions   `cmd:"" help:"Decide about the same intents under other rules."`
	Tail       tailOptions     `cmd:"" help:"Follow what is decided, a line each."`
	Export     exportOptions   `cmd:"" help:"Write the history to one file."`
	Import     importOptions   `cmd:"" help:"Add an exported file to an archive."`
	Archive    archiveOptions  `cmd:"" help:"Keep a directory up with the history, until ended."`
	Completion struct {
		Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
	} `cmd:"" help:"Print what makes a shell complete what is typed: source <(replay completion bash)."`
}

type statusOptions struct {
	At         string `default:"now" placeholder:"MOMENT" help:"Which moment. Default: now, the end of the history."`
	Service    string `placeholder:"TEXT" help:"Show only services whose name contains this."`
	Containers int    `default:"10" placeholder:"N" help:"How many containers of each service are printed. Default: 10."`
}

type timelineOptions struct {
	Since      string `default:"" placeholder:"MOMENT" help:"From which moment on. Default: from the beginning."`
	Until      string `default:"now" placeholder:"MOMENT" help:"Up to which moment. Default: now, the end of the history."`
	Containers bool   `help:"Print the containers' curves as well."`
	CSV        bool   `name:"csv" xor:"form" help:"Print a table."`
	SVG        bool   `name:"svg" xor:"form" help:"Print a picture."`
	HTML       bool   `name:"html" xor:"form" help:"Print a page with the picture."`
}

type explainOptions struct {
	What string `arg:"" placeholder:"WHAT" help:"A container's id, or the sequence of a record."`
}

type diffOptions struct {
	A string `arg:"" placeholder:"A" help:"A moment."`
	B string `arg:"" default:"now" placeholder:"B" help:"Another one. Default: now, the end of the history."`
}

type whatifOptions struct {
	Plan    string       `placeholder:"NAME" help:"The database's plan, which sets the limit."`
	Limit   int          `placeholder:"N" help:"Connections that the database allows."`
	Reserve *int         `placeholder:"N" help:"Of these, kept back. Default: the same part as before."`
	TTL     cli.Duration `name:"ttl" placeholder:"SECONDS" help:"Longest duration of a lease: seconds, or a duration such as 90s."`
	Policy  string       `placeholder:"FILE" help:"A policy file with the services' rules, as the arbiter reads it."`
}

type tailOptions struct {
	Last      int    `short:"n" default:"10" placeholder:"N" help:"Begin with so many of the newest lines, as far as the newest 10,000 records of a live history have them. Default: 10."`
	NoFollow  bool   `help:"End after these."`
	Service   string `placeholder:"NAME" help:"Only what concerns this service."`
	Container string `placeholder:"TEXT" help:"Only what concerns containers whose id contains this."`
	Kind      string `placeholder:"KINDS" help:"Only intents of these kinds, separated by commas: register, request, renew, release, cleanup, set-policy, begin, lead, resign, tick, silence, observe."`
}

type exportOptions struct {
	File      string `arg:"" placeholder:"FILE" help:"What is written. It must not exist."`
	Anonymize bool   `help:"Replace the names of services, containers, hosts and arbiters, each always by the same other one."`
}

type importOptions struct {
	File string `arg:"" placeholder:"FILE" help:"An exported file."`
	Dir  string `arg:"" placeholder:"DIR" help:"The directory of the archive that it continues or begins."`
}

type archiveOptions struct {
	Dir    string `arg:"" placeholder:"DIR" help:"The directory. It is made if it is not there."`
	Once   bool   `xor:"what" help:"End when the archive has everything."`
	DryRun bool   `xor:"what" help:"Write nothing: say what the archive has, and what the leader would trim from Redis."`
	Forget bool   `xor:"what" help:"Give the archive up: leave the directory as it is, and let Redis be trimmed of what it lacks."`

	Retention        cli.Duration `from:"CONNCORD_RETENTION" default:"168h" placeholder:"SECONDS" help:"With --dry-run: the arbiter's setting, if it has another one."`
	RetentionRecords uint64       `from:"CONNCORD_RETENTION_RECORDS" default:"1000000" placeholder:"N" help:"The same."`
}

// parse reads the options. It returns done when there is nothing left to do.
func parse(args []string, env func(string) (string, bool), stdout io.Writer) (o options, command string, done bool, err error) {
	command, done, err = cli.Program{Name: program, Description: description}.Command(&o, args, env, stdout)
	if done || err != nil {
		return o, command, done, err
	}
	return o, command, false, o.validate()
}

func (o *options) validate() error {
	if err := events.CheckBudget(o.Budget); err != nil {
		return fmt.Errorf("--budget (CONNCORD_BUDGET): %w", err)
	}
	if o.Status.Containers < 1 {
		return fmt.Errorf("--containers: at least 1 is needed, not %d", o.Status.Containers)
	}
	if o.Tail.Last < 0 || o.Tail.Last > maxLast {
		return fmt.Errorf("--last: %d is out of range: give 0 to %d", o.Tail.Last, maxLast)
	}
	if _, err := cli.Retention(o.Archive.Retention, o.Archive.RetentionRecords); err != nil {
		return err
	}
	if _, err := o.Tail.kinds(); err != nil {
		return fmt.Errorf("--kind: %w", err)
	}
	return nil
}
