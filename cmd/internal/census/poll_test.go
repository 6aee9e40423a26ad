package census

import "testing"

func TestRefusalsInTheLog(t *testing.T) {
	log := `FATAL:  sorry, too many clients already
FATAL:  remaining connection slots are reserved for non-replication superuser connections
FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute
FATAL:  too many connections for role "app"
LOG:  database system is ready to accept connections`
	if n := Refusals(log); n != 4 {
		t.Errorf("%d", n)
	}
}
