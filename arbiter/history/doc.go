// Package history reads the history of a budget, wherever it is kept: in a live
// Redis, in an exported file, in an archive. It also writes the latter two.
//
// Every place is a [Source], which returns the records as they are encoded in the
// history, so that their hashes can be checked:
//
//   - [OpenLive] reads a live Redis and changes nothing in it;
//   - [OpenFile] reads one file that holds a whole history, written by [Create] and
//     [Export];
//   - [OpenArchive] reads a directory of segments, which an [Archiver] keeps up with
//     the live history;
//   - [Anonymize] is another source with all names replaced.
//
// A file and a segment have the same format, which docs/archive.md specifies byte by
// byte: blocks of records, each with a length, checksums and a number of its own. So
// damage is always noticed, costs one block, and is reported as a [*DamageError]
// after which reading goes on.
//
// Whatever is read is read in pieces of at most [MaxRead] records: the memory that
// it takes does not depend on how long the history is.
package history
