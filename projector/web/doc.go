// Package web shows a budget to people and programs over HTTP: the live page, the
// JSON behind it, and a stream of changes.
//
// # Where the numbers come from
//
// A [Source], which is the projector in an arbiter, has the newest status and says
// when there is another. For each status there is one edition: the JSON, its
// compressed form, the frame for streams and the sorted containers, each made when
// somebody first asks for it. So a status costs the same whether one page is open
// or sixty, and nothing is made that nobody looks at.
//
// # Who sees a change, and when
//
// An open page has one stream, /api/events. It gets the status without the
// containers as soon as it changes, at most ten times a second; the changes between
// are not queued, only the newest is sent. The page then asks for the containers
// that it shows, one page of them at most four times a second, and never for all.
// Ten thousand containers cost a page no more than fifty.
//
// A reader who does not keep up is dropped by the deadline of a write, and comes
// back by itself. A stream ends when its request's context does: a server that
// shuts down must end its base context first, for [net/http.Server.Shutdown] waits
// for streams.
//
// # What protects it
//
// Everything is read only, and says nothing that is secret; but it asks for no
// password either. So a server should listen on loopback, or behind a proxy that
// asks. [LoopbackHosts] keeps other sites' pages from reading it through a name of
// theirs that suddenly means 127.0.0.1. The page loads nothing from elsewhere, and
// its policy forbids scripts and styles that are not files of this package; what
// containers call themselves is only ever set as text.
package web
