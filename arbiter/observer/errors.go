package observer

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

var (
	// ErrFull is returned when the database refuses the observer's connection because it has too many, in all, of the
	// role or of the database (SQLSTATE 53300). The database is there: this says more about it than silence would.
	ErrFull = errors.New("the database is full")

	// ErrMayNotEnd is returned when the observer's role may not end a backend. Those that it may end are ended.
	ErrMayNotEnd = errors.New("not allowed to end backends")

	// ErrClosed is returned when the observer has been closed.
	ErrClosed = errors.New("the observer is closed")
)

// tooManyConnections is PostgreSQL's code for a refusal because there is no place.
const tooManyConnections = "53300"

// dialError says of a failed attempt to connect what the caller has to know.
func dialError(err error) error {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) && refusal.Code == tooManyConnections {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return fmt.Errorf("connect to the database: %w", err)
}

// urlError explains a URL that cannot be used. The driver's error holds the URL, and its text hides the password only
// where it can find it. So the URL is left out, and of the error only its last part is used, if that is harmless.
func urlError(text string, err error) error {
	const problem = "the database URL is not usable (it is not shown because it may hold a password)"
	cause := errors.Unwrap(err)
	u, parseErr := url.Parse(text)
	if cause == nil || parseErr != nil || u.Host == "" {
		return errors.New(problem + ": it should look like postgres://user:password@host:5432/database?sslmode=require")
	}
	secrets := []string{text, u.Query().Get("password"), u.Query().Get("sslpassword")}
	if u.User != nil {
		password, _ := u.User.Password()
		secrets = append(secrets, password, u.User.String())
	}
	for _, secret := range secrets {
		if secret != "" && strings.Contains(cause.Error(), secret) {
			return errors.New(problem)
		}
	}
	return fmt.Errorf("%s: %s", problem, cause)
}
