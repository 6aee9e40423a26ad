package observer

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSession: what the session sets wins over what the role has for its own.
func TestSession(t *testing.T) {
	s := newStage(t)
	s.role("odd")
	s.exec("alter role odd set search_path = public", "alter role odd set statement_timeout = '1h'", "alter role odd set idle_session_timeout = '1s'",
		"alter role odd set datestyle = 'German'", "alter role odd set timezone = 'Asia/Kathmandu'")
	o := s.observer("odd")
	conn := s.container("odd", "api", "one")
	look := s.look(o)
	got := map[string]string{}
	for _, setting := range append(sessionSettings[:], struct{ name, value string }{name: "application_name"}) {
		var value string
		if err := o.line.conn.QueryRow(t.Context(), "select current_setting($1)", setting.name).Scan(&value); err != nil {
			t.Fatal(err)
		}
		got[setting.name] = value
	}
	want := map[string]string{
		"application_name": "conncord:default:@arbiter", "search_path": "pg_catalog", "statement_timeout": "1500ms", "lock_timeout": "1s",
		"idle_in_transaction_session_timeout": "4s", "idle_session_timeout": "5min", "client_connection_check_interval": "1s",
		"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3", "tcp_user_timeout": "20000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("-want +got\n" + diff)
	}
	if n, err := o.End(t.Context(), look.Backends); n != 1 || err != nil {
		t.Errorf("with an odd date style, ended %d, %v", n, err)
	}
	conn.Close(t.Context())
}
