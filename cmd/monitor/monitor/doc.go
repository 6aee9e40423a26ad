// Package monitor is the program monitor, in a form that a test can run within
// its own process.
//
// # One status, four ways to see it
//
// A projector publishes the status of a budget; the monitor only reads it
// (source.go) and asks the arbiter nothing. It prints it once (once.go), as text
// or as the JSON that was published, judges it in one line for programs that
// watch systems (check.go), or shows it live (live.go). The services that the
// user expects are looked for here, beside the alerts that the status brings
// (expect.go): each user expects others.
//
// # The live view
//
// Updates come by subscription and are passed on at the pace of the screen
// (pace.go). The model (model.go) turns each into a document (document.go): a few
// lines before the containers, one line for each container, and a few after
// them. Lines of containers are drawn only when they are seen (table.go), so that
// ten thousand cost no more than the ten on the screen.
//
// All that is shown of a status went through status.Clean or its printing: names
// and reasons were written by other programs.
package monitor
