package arbiter

import (
	"slices"

	"github.com/conncord/conncord/events"
)

// samePolicy reports whether the policy in force needs no change.
func samePolicy(a, b events.Policy) bool {
	services := slices.Equal(a.Services, b.Services)
	a.Services, b.Services = nil, nil
	return services && a.Rule == b.Rule && a.Plan == b.Plan && a.Limit == b.Limit && a.Reserve == b.Reserve &&
		a.TTL == b.TTL && a.Margin == b.Margin && a.Unlisted == b.Unlisted
}
