// Package projector makes the view of a budget that people, alerts and programs
// go by. It folds the history by itself, with a cursor of its own, and never asks
// an arbiter; so it shows what was decided, whoever leads.
//
// # How it follows
//
// It starts at the beginning of the history when that is near, else at the stored
// snapshot (catchup.go), and then takes each record as it comes. When a record is
// missing or altered, or Redis lost what was read, it says so, keeps showing what
// it knew, and begins anew from the snapshot, which an arbiter stores once a minute
// at least. Who leads now and how far the history goes, it sees by a glance at
// Redis several times a second.
//
// # How it publishes
//
// A change is visible at once, and further ones after publishEvery at the earliest;
// with so many containers that a status takes long to make, after so long that
// making them takes a small part of the time. A status is made every
// publishAtLeast even when nothing changes, so that an old one says that nobody
// makes any. Within the process, [Projector.Status] has the newest and
// [Projector.Changed] says when there is another. In Redis, the one projector of a
// budget that is in office publishes it, as a key for those who ask and on a
// channel for those who subscribe: see [Subscribe]. When it goes away another takes
// the office, within officeFor.
//
// # Concurrency
//
// [Projector.Run] starts two goroutines, one that folds and one that publishes,
// and waits for their end. All other methods may be called concurrently.
package projector
