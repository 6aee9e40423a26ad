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
// to write into. Its memory does not grow with the length of the history. All
// values that are printed as JSON have stable names: fields are added, none is
// renamed, removed or given another meaning.
package audit
