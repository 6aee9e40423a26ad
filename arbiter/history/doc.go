// Package history reads the history of a budget, wherever it is kept: in a live
// Redis, in an exported file, in an archive.
package history
