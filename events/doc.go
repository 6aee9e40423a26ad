// Package events is the vocabulary of Conncord: what containers say (intents),
// what the arbiter decides (decisions, kept as records), what a container is
// told (grants), and where all of it lives in Redis.
//
// # One request, end to end
//
// A container appends an [Intent] to the inbox, the stream at [Keys.Intents].
// The leading arbiter reads it, runs it through the ledger and appends one
// [Record] to the history, the stream at [Keys.Grants]. The record holds the
// intent as it came, the [Decision] for every lease that changed, and a rolling
// hash over all of it, so that the history alone is enough to rebuild the state
// and to prove that nothing in it was altered. In the same atomic step the
// arbiter writes a [Grant], the full present state of one lease, into the
// mailbox of each container that is concerned, and rings it on the channel of
// the same name. A mailbox holds a state, not a queue: whoever misses a ring
// reads the mailbox and has missed nothing.
//
// # Heartbeats and the database
//
// Where an arbiter looks at the database, containers leave heartbeats beside the
// inbox ([Post.Beat]), which is not history: what the arbiter concludes from them, and
// what the database showed, it says in intents of its own, Silence and Observe.
//
// # Encoding
//
// An entry is one MessagePack value in one stream field. Values are arrays with
// fixed places, never maps, and times are whole milliseconds, so that equal
// values have equal bytes. Each entry names its kind and schema version.
// Decoding is strict: an unknown kind or version, a missing or extra place, a
// number out of range, an over-long name or a byte too many is a
// [*DecodeError]; nothing panics and nothing allocates more than the entry's
// own size. Older versions are lifted by a chain of upcasters, one for each
// step; recorded entries of every version are kept in testdata and read back by
// the tests.
//
// # Limits
//
// Everything here is bounded; see the constants of this package.
package events
