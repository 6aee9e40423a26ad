package service

import (
	"testing"
	"time"

	"github.com/conncord/conncord/client"
)

func TestHabits(t *testing.T) {
	usual := kind{hold: 10 * time.Millisecond, rest: time.Millisecond}
	k, cfg := usual, client.Config{JoinWithin: joinWithin}
	if err := habits(&cfg, &k); err != nil || k.hold != usual.hold || cfg.JoinWithin != joinWithin {
		t.Errorf("%+v, %v, %v", k, cfg.JoinWithin, err)
	}
	t.Setenv(PaceVariable, "3")
	t.Setenv(JoinVariable, "250ms")
	if err := habits(&cfg, &k); err != nil || k.hold != 30*time.Millisecond || k.rest != 3*time.Millisecond || cfg.JoinWithin != 250*time.Millisecond {
		t.Errorf("%+v, %v, %v", k, cfg.JoinWithin, err)
	}
	for name, text := range map[string]string{PaceVariable: "0", JoinVariable: "soon"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, text)
			if err := habits(&cfg, &k); err == nil {
				t.Errorf("%s=%s is accepted", name, text)
			}
		})
	}
}
