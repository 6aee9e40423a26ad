// Package audit proves what a history says, and tells what happened in it.
//
// A [Verifier] re-derives a history: it lets the ledger decide anew about every
// intent, in the order and at the ledger time of the record, and compares what
// comes out with what was published, byte by byte. What is altered, missing,
// reordered, forged or there twice is named, with the sequence of the record.
//
// Everything else walks through a history with a verifier ([Walk]), so that it
// never tells what was not proved:
//
//   - [At] is the state at a moment, [Diff] what changed between two;
//   - [ExplainRecord] and [ExplainContainer] say in sentences why;
//   - [Trace] is the course of things over time, as a picture, a table or text;
//   - [WhatIf] decides anew under other rules.
//
// The package reads from a [history.Source] and writes nothing but what it is asked
// to write into. Its memory does not grow with the length of a history.
//
// # What verifying proves
//
// Within an incarnation every record follows from the ones before it: its
// sequence is the next one, its epoch does not go back, is issued once and has a
// leader, its hash continues the chain, its decisions are those of the rule that
// was in force, and the charges rise above what is available only where the ledger
// says that they may. An incarnation begins with the record that says so; it owes
// nothing to what was before it, and may begin at an earlier sequence, because
// Redis lost the rest.
//
// Behind a record whose intent is not the one that was decided, or that is
// missing, the state is not known any more. What follows is then only checked for
// its chain, until an incarnation begins or the source has a snapshot: see
// [Report].Linked. That nobody wrote a whole history anew, with hashes that fit, no
// history can prove of itself; compare its last hash with one that was kept
// elsewhere.
//
// # What a what-if cannot know
//
// A what-if takes the intents as they were said. But who asks depends on what it
// got: under other rules containers would have asked for more or less, at other
// times, would have restarted or not, and people would have scaled their fleets.
// So its figures say how the rules treat the demand of that day, and not what the
// day would have been. In particular:
//
//   - What a container wanted is taken as it was, although it may have wanted little
//     because it could not get more, or much because callers had piled up.
//   - How fast a container gave something up is taken from what it gave up in
//     reality; under other rules other queries would have run.
//   - Nothing happens between two records. What would have been due between them
//     happens with the next one.
//   - With shorter leases, containers would have renewed more often. Where they
//     renewed too seldom for the other TTL, a lease ends that would not have
//     ended; [Outcome].Untrue counts these. Half of the real TTL and more is
//     safe: containers renew three times in one.
//   - The database is taken to allow as many more or fewer connections as the
//     limit is higher or lower, and others to have used it as they did.
//
// # JSON
//
// [Report], [Account], [Story], [Changes], [Timeline] and [Outcome] have JSON with
// stable names: fields are added, none is renamed, removed or given another meaning.
// An example of each is in testdata. Times are RFC 3339, incarnations hexadecimal,
// lists never null, and a field that can be left out is left out when it is zero.
package audit
