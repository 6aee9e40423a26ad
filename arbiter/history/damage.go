package history

// Damage is what an error of [Source.Read] is, anywhere in its chain, when a part
// of the history cannot be read and Read goes on behind it: a [*DamageError] or a
// [*GapError]. Snapshot then returns the state before the record that Read returns
// next; nil when that is not known.
type Damage interface {
	error
	// Skippable reports whether Read goes on behind the damage.
	Skippable() bool
}
