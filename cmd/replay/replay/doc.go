// Package replay is the program replay. It reads the history of a budget from one of
// three places, and each of its commands works on each of them:
//
//   - a live Redis, which it does not change;
//   - a file that "replay export" wrote;
//   - the directory of an archive.
//
// What it tells it has proved: everything goes through a verifier of package audit,
// and a history that is not what was published ends a command with status 3. Only
// "replay archive" writes to the live system: how far it is, so that nothing is
// trimmed that it does not have.
//
// The answers go to the standard output, as text or with --json as one JSON value
// (tail: one a line); log lines and the progress bar go to the standard error.
package replay
