package observer

import (
	"log/slog"

	"github.com/jackc/pgx/v5"
)

// rights remembers what the log has been told, so that it is told only of changes.
//
// A look without a container's connection proves nothing either way, and connections come and go. So what is missing
// stays said until a look shows that it is there.
type rights struct {
	log       *slog.Logger
	hidden    hidden
	powerless bool
}

type hidden int

const (
	hidesNothing hidden = iota
	hidesStrangers
	hidesOurs // and strangers, perhaps
)

func (r *rights) tell(s settings, look *Look) {
	log := r.log.With("role", s.Role)
	role := pgx.Identifier{s.Role}.Sanitize()

	before := r.hidden
	switch {
	case !look.Named:
		r.hidden = hidesOurs
	case s.SeesAll:
		r.hidden = hidesNothing
	case look.Hidden > 0 && before == hidesNothing, len(look.Backends) > 0 && before == hidesOurs:
		r.hidden = hidesStrangers
	}
	grant := slog.String("remedy", "GRANT pg_monitor TO "+role+";")
	switch {
	case r.hidden == before:
	case r.hidden == hidesOurs:
		log.Warn("the database hides containers' connections from the observer's role, all but their names: "+
			"what is held cannot be compared with the leases, what a dead container held comes back only when its lease ends, "+
			"the recovery barrier stays for its full time, and nothing can be fenced", grant)
	case r.hidden == hidesStrangers && before == hidesNothing:
		log.Info("the database hides other roles' connections from the observer's role, all but their names: "+
			"their number may be overestimated, and from where they come is not known", grant)
	default:
		log.Info("the database shows the containers' connections to the observer's role")
	}

	switch {
	case !look.MayEnd && !r.powerless:
		r.powerless = true
		log.Info("the observer's role may not end all containers' connections, so that those of an expired lease cannot be fenced",
			"remedy", "GRANT pg_signal_backend TO "+role+"; and let no container connect as a superuser")
	case look.MayEnd && len(look.Backends) > 0 && r.powerless:
		r.powerless = false
		log.Info("the observer's role may end containers' connections")
	}
}
