package pool

import "strings"

// sessionParams make the server end a connection by itself when its client has vanished, well within
// [DefaultCloseTimeout]: a dead machine sends no end of stream, and a backend in a long query does not look for one.
var sessionParams = [...]struct{ name, value string }{
	{"client_connection_check_interval", "1s"}, // PostgreSQL 14; sees a closed socket during a query
	{"tcp_keepalives_idle", "10"},              // seconds
	{"tcp_keepalives_interval", "5"},           // seconds
	{"tcp_keepalives_count", "3"},
	{"tcp_user_timeout", "20000"}, // milliseconds; PostgreSQL 12
}

// sessionStatement returns one statement that sets the parameters this server knows, except those the user has set. It
// is a statement and not part of the start-up message because an unknown parameter there refuses the connection, and
// connection poolers refuse known ones too.
func sessionStatement(set map[string]string) string {
	var rows []string
	for _, p := range sessionParams {
		if _, ok := set[p.name]; !ok {
			rows = append(rows, "('"+p.name+"','"+p.value+"')")
		}
	}
	if len(rows) == 0 {
		return ""
	}
	return "select set_config(p.name, p.value, false) from (values " + strings.Join(rows, ",") +
		") as p(name, value) where current_setting(p.name, true) is not null"
}
