package arbiter_test

import (
	"fmt"

	"github.com/conncord/conncord/events"
)

// How acts and states read in the picture of a history.

func describeAct(in, saw any) string {
	m := in.(move)
	if m.intent == "" {
		return fmt.Sprintf("look at %s: %s", speakerID(m.of), describeGrant(saw.(string)))
	}
	said, err := events.DecodeIntent([]byte(m.intent))
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s %d: want %d ceiling %d", said.Kind, said.Counter, said.Want, said.Ceiling)
}

func describeGrant(plain string) string {
	if plain == "" {
		return "none"
	}
	g, err := events.DecodeGrant([]byte(plain))
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s ack %d units %d charge %d want %d fallback %d", g.Verb, g.Ack, g.Units, g.Charge, g.Want, g.Fallback)
}

func (s state) describe() (text string) {
	for place, m := range s.mail {
		text += fmt.Sprintf("%s: %s\n", speakerID(place), describeGrant(m.plain))
	}
	return text + fmt.Sprintf("charged %d", s.restore().Charged())
}
