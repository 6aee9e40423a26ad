package observer

// A Look is what the database showed in one moment. Counts are of client backends, between 0 and events.MaxUnits.
type Look struct {
	// Began is when the look began, microseconds since 1970 by the database's clock. PostgreSQL reads one backend after
	// the other: one that started later may be the successor of another one that is still shown.
	Began int64

	// Max is max_connections.
	Max int

	// Usable is what ordinary roles can have of it, all together: Max without what is kept for superusers
	// (superuser_reserved_connections) and for others (reserved_connections, PostgreSQL 16).
	Usable int

	// Bound is the most that the containers can have in all by the CONNECTION LIMIT of their roles and databases, less
	// what others use up of these; events.MaxUnits where there is none. With several roles or databases it is the sum
	// of theirs: one of them can be full before.
	//
	// The roles and databases are those of all containers seen so far. Before any was, they are the observer's own, and
	// Bound is at least 1 then: the observer's role may be one of its own with a small limit, and with a bound
	// of 0 no container could ever come and show the right one.
	Bound int

	// Platform counts the platform's, the observer's own one included.
	Platform int

	// External counts those that are neither ours nor the platform's.
	External int

	// Starting counts those whose client has not logged in yet. They may be anybody's. PostgreSQL 18; before, they are
	// not shown and this is 0.
	Starting int

	// Hidden is how many of all these are hidden from the observer's role except for their names. Each of them may be a
	// parallel worker or a replication that uses up no connection.
	Hidden int

	// Named says that ours were read in full: Backends is complete, and each is a connection. When it is false some are
	// hidden: Backends is still complete, but can hold too many, and those without Start cannot be ended.
	Named bool

	// MayEnd says that the observer's role may end every one of Backends.
	MayEnd bool

	// Backends are ours, sorted by tag, start and process id.
	Backends []Backend

	// Others are the platform's and the external ones, for people: the most numerous first, at most [MaxOthers] lines.
	Others []Other
}

// A Backend is one connection of a container. PID, Start and Name together tell it from all others, for [Observer.End].
type Backend struct {
	PID     int32
	Start   int64  // microseconds since 1970 by the database's clock; 0 when hidden
	Name    string // application_name
	Service string // as it stands in the name: over-long ones are shortened
	Tag     string // events.Tag of the container's id
}

// Other counts connections of one role from one address.
type Other struct {
	Role     string
	Address  string // an IP address; "[local]" for the server's socket; "" when hidden
	Platform bool
	Count    int
}

// MaxOthers bounds Look.Others: enough for every role of a platform with a few addresses each, and still a list that
// somebody can read.
const MaxOthers = 32
