package history

import "errors"

// Damage is what an error of [Source.Read] is, anywhere in its chain, when a part
// of the history cannot be read and Read goes on behind it: a [*DamageError] or a
// [*GapError]. Snapshot then returns the state before the record that Read returns
// next; nil when that is not known.
type Damage interface {
	error
	// Skippable reports whether Read goes on behind the damage.
	Skippable() bool
}

// Skippable reports whether an error of [Source.Read] is a [Damage] behind which Read
// goes on.
func Skippable(err error) bool {
	var damage Damage
	return errors.As(err, &damage) && damage.Skippable()
}
